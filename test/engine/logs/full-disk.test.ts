import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { run, temporaryDirectory } from '../../support/peers/index.ts'

const PROGRAM = fileURLToPath(new URL('./support/filling.js', import.meta.url))

describe('log of a container on a full disk', () => {
  for (const driver of ['json-file', 'local']) {
    it(`loses lines, warns once, and goes on when there is room: ${driver}`, async () => {
      using top = temporaryDirectory('logs')
      const script = 'mount -t tmpfs -o size=256k disk "$1" && shift && exec "$@"'
      const words = [process.execPath, PROGRAM, top.path, driver]
      const { stdout } = await run('unshare', [
        '--mount',
        'sh',
        '-ec',
        script,
        'sh',
        top.path,
        ...words,
      ])
      const { failures, before, during, after } = JSON.parse(stdout)
      assert.equal(failures, 1)
      assert.ok(before > 500, `${before} lines`)
      // No line is there in part, and none twice.
      assert.equal(during, before)
      assert.equal(after, before + 20)
    })
  }
})
