import assert from 'node:assert/strict'
import { foreignImage, foreignLayer, publish } from '../support/images.ts'
import { outputOf, putShell, SHELL_BASE } from '../support/shell-base.ts'
import { Workplace } from '../support/workplace.ts'

describe('build: the same layer more than once', () => {
  let at: Workplace
  before(async () => {
    at = await Workplace.open()
    putShell(at)
    at.put({ a: 'A\n', 'b/a': 'B\n' })
    const [zero, one, two] = [
      await foreignLayer({ g: '' }),
      await foreignLayer({ f: '1\n' }),
      await foreignLayer({ f: '2\n' }),
    ]
    publish(at.registry, 'twice', foreignImage([zero, one, two, one, zero]))
    const deleted = await foreignLayer({ '.wh.gone': '', kept: 'kept\n' })
    publish(at.registry, 'deleting', foreignImage([deleted, deleted]))
  })
  after(() => at[Symbol.asyncDispose]())

  const FROM_BASE = [...SHELL_BASE, 'FROM base']
  const cases: Readonly<Record<string, readonly [readonly string[], string]>> = {
    'made by WORKDIR that changes nothing': [
      [...FROM_BASE, 'RUN mkdir /x /y', 'WORKDIR /x', 'WORKDIR /y', 'RUN pwd'],
      '/y\n',
    ],
    'made by one COPY twice': [
      [...FROM_BASE, 'COPY --chmod=644 a /x', 'COPY --chmod=644 a /x', 'RUN cat /x'],
      'A\n',
    ],
    'with another between': [
      [...FROM_BASE, 'COPY a /x', 'COPY b/a /x', 'COPY a /x', 'RUN cat /x; rm /x'],
      'A\n',
    ],
  }
  for (const [name, [dockerfile, output]] of Object.entries(cases)) {
    it(`runs on one ${name}`, async () => {
      assert.equal(outputOf(await at.build(dockerfile)), output)
    })
  }

  it('runs on a base that has it, and keeps all its layers in the image', async () => {
    const built = await at.build([
      `FROM ${at.at('twice')}`,
      'COPY --chmod=755 busybox /busybox',
      'RUN ["/busybox", "cat", "/f"]',
    ])
    assert.equal(outputOf(built), '1\n')
    assert.equal(built.layers.length, 7)
  })

  it('mounts an image that has it, whiteouts unseen', async () => {
    const run = (from: string, script: string) =>
      at.build([...FROM_BASE, `RUN --mount=from=${at.at(from)},target=/m ${script}`])
    assert.equal(outputOf(await run('twice', 'cat /m/f')), '1\n')
    assert.equal(outputOf(await run('deleting', 'ls /m; test ! -e /m/gone')), 'kept\n')
  })
})
