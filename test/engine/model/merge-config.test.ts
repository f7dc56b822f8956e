import assert from 'node:assert/strict'
import { mergeConfig } from '#engine/model'

const IMAGE = {
  Entrypoint: ['/entry'],
  Cmd: ['one', 'two'],
  Env: ['PATH=/bin', 'A=image', 'B=image'],
  User: 'daemon',
  WorkingDir: '/work',
  StopSignal: 'SIGQUIT',
  Labels: { own: 'image', kept: 'yes' },
  Volumes: { '/data': {} },
  ExposedPorts: { '80/tcp': {} },
}

describe('the config of a container', () => {
  it('is what its image says where the request says nothing', () => {
    const { Entrypoint, Cmd, User, WorkingDir, StopSignal } = mergeConfig({}, IMAGE)
    assert.deepEqual(
      { Entrypoint, Cmd, User, WorkingDir, StopSignal },
      {
        ...{ Entrypoint: ['/entry'], Cmd: ['one', 'two'], User: 'daemon' },
        ...{ WorkingDir: '/work', StopSignal: 'SIGQUIT' },
      },
    )
  })

  const commands = [
    ['a command keeps the entrypoint', { Cmd: ['x'] }, ['/entry'], ['x']],
    ['an entrypoint drops the command', { Entrypoint: ['/mine'] }, ['/mine'], []],
    ['both are as asked', { Entrypoint: ['/mine'], Cmd: ['x'] }, ['/mine'], ['x']],
    ['an empty word is no entrypoint', { Entrypoint: [''] }, [], []],
    ['empty lists say nothing', { Entrypoint: [], Cmd: [] }, ['/entry'], ['one', 'two']],
  ] as const
  for (const [name, request, entrypoint, command] of commands) {
    it(`has the right words: ${name}`, () => {
      const { Entrypoint, Cmd } = mergeConfig(request, IMAGE)
      assert.deepEqual({ Entrypoint, Cmd }, { Entrypoint: entrypoint, Cmd: command })
    })
  }

  it('has variables of the request before those of the image that it does not replace', () => {
    const { Env } = mergeConfig({ Env: ['A=mine', 'C=new', 'B'] }, IMAGE)
    assert.deepEqual(Env, ['A=mine', 'C=new', 'B', 'PATH=/bin'])
  })

  it('has labels, volumes and ports of both', () => {
    const { Labels, Volumes, ExposedPorts } = mergeConfig(
      { Labels: { own: 'mine' }, Volumes: { '/more': {} }, ExposedPorts: { '53/udp': {} } },
      IMAGE,
    )
    assert.deepEqual(Labels, { own: 'mine', kept: 'yes' })
    assert.deepEqual(Object.keys(Volumes ?? {}), ['/data', '/more'])
    assert.deepEqual(Object.keys(ExposedPorts ?? {}), ['80/tcp', '53/udp'])
  })

  it('takes from the image what a test of health does not say', () => {
    const own = { Test: ['CMD', 'true'], Interval: 5, Retries: 2 }
    const { Healthcheck } = mergeConfig(
      { Healthcheck: { Interval: 7, Test: [] } },
      { Healthcheck: own },
    )
    assert.deepEqual(Healthcheck, { ...own, Interval: 7 })
  })
})
