import assert from 'node:assert/strict'
import { changedConfig } from '#builder/plan'
import type { ContainerConfig } from '#core'

describe('a config that instructions change', () => {
  const cases: readonly (readonly [string, ContainerConfig, readonly string[], ContainerConfig])[] =
    [
      [
        'stays without any',
        { Cmd: ['a'], ArgsEscaped: true },
        ['', ' '],
        { Cmd: ['a'], ArgsEscaped: true },
      ],
      [
        'has a command of a shell, its own if it has one',
        { Shell: ['bash', '-c'] },
        ['CMD a b'],
        { Shell: ['bash', '-c'], Cmd: ['bash', '-c', 'a b'] },
      ],
      [
        'loses its command with another entrypoint',
        { Cmd: ['a'] },
        ['ENTRYPOINT ["b"]'],
        { Cmd: [], Entrypoint: ['b'] },
      ],
      [
        'keeps a command that is changed, too',
        { Cmd: ['a'] },
        ['CMD ["c"]', 'ENTRYPOINT ["b"]'],
        { Cmd: ['c'], Entrypoint: ['b'] },
      ],
      [
        'has no PATH that nobody gave it',
        { Env: ['A=1'] },
        ['ENV B=$A.2'],
        { Env: ['A=1', 'B=1.2'] },
      ],
      [
        'has labels, ports and volumes besides',
        { Labels: { a: '1' }, ExposedPorts: { '1/tcp': {} }, Volumes: { '/a': {} } },
        ['LABEL b=2', 'EXPOSE 2-3/udp', 'VOLUME /b'],
        {
          Labels: { a: '1', b: '2' },
          ExposedPorts: { '1/tcp': {}, '2/udp': {}, '3/udp': {} },
          Volumes: { '/a': {}, '/b': {} },
        },
      ],
      [
        'has a working directory by its own',
        { WorkingDir: '/a' },
        ['WORKDIR b', 'WORKDIR c'],
        { WorkingDir: '/a/b/c' },
      ],
      [
        'takes several lines at once',
        {},
        ['USER u\nSTOPSIGNAL SIGINT'],
        { User: 'u', StopSignal: 'SIGINT' },
      ],
      ['takes a shell', {}, ['SHELL ["a"]'], { Shell: ['a'] }],
      [
        'takes triggers and tests',
        { OnBuild: ['RUN a'] },
        ['ONBUILD COPY b c', 'HEALTHCHECK --retries=2 CMD x'],
        { OnBuild: ['RUN a', 'COPY b c'], Healthcheck: { Test: ['CMD-SHELL', 'x'], Retries: 2 } },
      ],
    ]
  for (const [title, config, changes, changed] of cases) {
    it(title, () => {
      assert.deepEqual(changedConfig(config, changes), changed)
    })
  }

  it('takes nothing that makes files, or another image', () => {
    for (const word of ['RUN', 'COPY', 'ADD', 'FROM', 'ARG', 'MAINTAINER', 'nonsense']) {
      for (const change of [`${word} x`, `USER u\n${word} x y`]) {
        assert.throws(
          () => changedConfig({}, [change]),
          (cause: Error & { code: string }) => {
            return ['USAGE', 'DOCKERFILE_INVALID'].includes(cause.code)
          },
          change,
        )
      }
      const message = `${word} is not a valid change command`
      assert.throws(() => changedConfig({}, [`${word} x`]), { code: 'USAGE', message })
    }
    assert.throws(() => changedConfig({}, ['STOPSIGNAL nonsense']), { code: 'DOCKERFILE_INVALID' })
    assert.throws(() => changedConfig({}, ['ENV']), { code: 'DOCKERFILE_INVALID' })
  })
})
