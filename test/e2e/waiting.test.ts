import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { type TemporaryDirectory, temporaryDirectory } from '../support/peers/index.ts'
import { writeContext } from './support/context.ts'
import { HERE } from './support/tsbuild.ts'

const BASE =
  'FROM scratch\nCOPY --chmod=755 busybox /bin/busybox\nSHELL ["/bin/busybox", "sh", "-c"]\n'

describe('two builds at a time', () => {
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('waiting')
    writeContext(directory.file('context'), { busybox: readFileSync('/bin/busybox') })
  })
  after(() => directory[Symbol.dispose]())

  function start(dockerfile: string): ChildProcess {
    const flags = ['--root', directory.file('store'), '--progress', 'plain', '-f', '-']
    const [command, ...words] = [...HERE.command, ...flags, directory.file('context')] as const
    const child = spawn(command, words, { env: { HOME: directory.path } })
    child.stdin.end(BASE + dockerfile)
    return child
  }

  for (const [what, one, other, wait] of [
    [
      'the same step',
      'RUN echo begun; /bin/busybox sleep 3',
      'RUN echo begun; /bin/busybox sleep 3',
      (pid: number) =>
        `process ${pid}, which does the same: [2/2] RUN echo begun; /bin/busybox sleep 3`,
    ],
    [
      'a locked cache mount',
      'RUN --mount=type=cache,id=box,target=/c,sharing=locked echo begun; /bin/busybox sleep 2',
      'RUN --mount=type=cache,id=box,target=/c,sharing=locked echo',
      () => 'the cache mount /box, which another step uses',
    ],
  ] as const) {
    it(`say that they wait for ${what}`, async () => {
      const first = start(one)
      let begun = ''
      for await (const chunk of first.stderr ?? []) {
        begun += chunk
        if (/^#\d+ \d\.\d+ begun$/m.test(begun)) break
      }
      first.stderr?.resume()
      const second = start(other)
      assert.ok(second.stderr !== null && first.pid !== undefined)
      const [shown, [code]] = await Promise.all([text(second.stderr), once(second, 'close')])
      assert.equal(code, 0, shown)
      const name = `[internal] wait for ${wait(first.pid)}`
      const number = shown
        .split('\n')
        .find((line) => line.endsWith(name))
        ?.split(' ')[0]
      assert.ok(number !== undefined, shown)
      assert.match(shown, new RegExp(`^${number} DONE \\d`, 'm'))
    })
  }
})
