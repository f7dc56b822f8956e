import assert from 'node:assert/strict'
import type { ContainerConfig } from '#core'
import {
  type ContainerRequest,
  containerProcess,
} from '../../../../builder/build/run/container-process.ts'

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function processOf(image: ContainerConfig, request: Partial<ContainerRequest> = {}) {
  return containerProcess(image, { hostname: 'h', hasTerminal: false, ...request })
}

describe('the process of a container', () => {
  const both = { Entrypoint: ['/entry', '-x'], Cmd: ['cmd', 'arg'] }
  for (const [what, image, request, args] of [
    ['ENTRYPOINT and CMD', both, {}, ['/entry', '-x', 'cmd', 'arg']],
    ['CMD alone', { Cmd: ['sh'] }, {}, ['sh']],
    ['arguments for CMD', both, { args: ['other'] }, ['/entry', '-x', 'other']],
    ['another entry point, which drops CMD', both, { entrypoint: ['/e'] }, ['/e']],
    ['both', both, { entrypoint: ['/e'], args: ['a'] }, ['/e', 'a']],
    ['no entry point', both, { entrypoint: [''], args: ['a', 'b'] }, ['a', 'b']],
  ] as const) {
    it(`is of ${what}`, () => assert.deepEqual(processOf(image, request).args, args))
  }

  it('is refused where there is none', () => {
    for (const request of [{}, { entrypoint: [''] }]) {
      assert.throws(() => processOf({}, request), {
        code: 'USAGE',
        message: 'no command specified',
      })
    }
  })

  it('has variables of the caller, then of the image, and what docker adds', () => {
    const image = { Cmd: ['sh'], Env: ['A=image', 'B=image', 'PATH=/bin', 'C=image'] }
    const asked = { env: ['A=mine', 'NEW=x', 'C'], hasTerminal: true }
    assert.deepEqual(processOf(image, asked).env, [
      ...['PATH=/bin', 'HOSTNAME=h', 'TERM=xterm'],
      ...['A=mine', 'NEW=x', 'B=image'],
    ])
    assert.deepEqual(processOf({ Cmd: ['sh'] }).env, [PATH, 'HOSTNAME=h'])
    assert.deepEqual(processOf({ Cmd: ['sh'] }, { env: ['HOSTNAME'] }).env, [PATH])
  })

  it('has the user, the directory and the signal of the image, unless others are given', () => {
    const image = { Cmd: ['sh'], User: 'app', WorkingDir: 'work', StopSignal: 'SIGINT' }
    const { user, cwd, stopSignal } = processOf(image)
    assert.deepEqual([user, cwd, stopSignal], ['app', '/work', 'SIGINT'])
    const other = processOf(image, { user: '', workdir: '/' })
    assert.deepEqual([other.user, other.cwd], ['', '/'])
    const plain = processOf({ Cmd: ['sh'] })
    assert.deepEqual([plain.user, plain.cwd, plain.stopSignal], ['', '/', 'SIGTERM'])
  })
})
