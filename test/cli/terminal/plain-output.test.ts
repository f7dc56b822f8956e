import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { plainOutput } from '../../../cli/terminal/plain-output.ts'
import { temporaryDirectory } from '../../support/peers/index.ts'

const MODULE = new URL('../../../cli/terminal/plain-output.js', import.meta.url)
const LINES = 20_000

/** Writes many lines to its standard error. */
const WRITER = `
  import { plainOutput } from '${MODULE}'
  for (let line = 0; line < ${LINES}; line++) plainOutput(2).write('line ' + line + '\\n')
  console.log('written')
`

/** The other end of standard error cannot be waited for. */
const NON_BLOCKING =
  'import fcntl,os,sys; fcntl.fcntl(2, fcntl.F_SETFL, os.O_NONBLOCK); os.execvp(sys.argv[1], sys.argv[1:])'

function written(script: string): string {
  const words = [process.execPath, '--input-type=module', '-e', WRITER]
  const { stdout, status } = spawnSync('bash', ['-c', script, 'bash', ...words], {
    encoding: 'utf8',
  })
  assert.equal(status, 0)
  return stdout
}

const ALL = `written\n${LINES}\nline ${LINES - 1}\n`

describe('plain output', () => {
  it('goes to files, pipes and /dev/null, and to no terminal or closed descriptor', () => {
    using directory = temporaryDirectory('output')
    const file = openSync(directory.file('file'), 'a')
    plainOutput(file)?.write('one ü\n')
    plainOutput(file)?.write('two\n')
    assert.equal(readFileSync(directory.file('file'), 'utf8'), 'one ü\ntwo\n')
    for (const [path, isPlain] of [
      ['/dev/null', true],
      ['/dev/zero', false],
      ['/dev', false],
    ] as const) {
      const descriptor = openSync(path, 'r')
      assert.equal(plainOutput(descriptor) !== undefined, isPlain, path)
      closeSync(descriptor)
    }
    closeSync(file)
    assert.equal(plainOutput(file), undefined)
  })

  it('arrives as a whole through a pipe that is full', () => {
    const count = '{ "$@" 2>&1 >&5 | { sleep 0.3; awk \'END { print NR; print }\' ; } ; } 5>&1'
    assert.equal(written(count), ALL)
  })

  it('arrives as a whole through a pipe that does not block', function () {
    if (spawnSync('python3', ['-V']).status !== 0) this.skip()
    const count = `{ python3 -c '${NON_BLOCKING}' "$@" 2>&1 >&5 | { sleep 0.3; awk 'END { print NR; print }' ; } ; } 5>&1`
    assert.equal(written(count), ALL)
  })

  it('is dropped where nobody reads it', () => {
    assert.equal(written('{ "$@" 2>&1 >&5 | true ; } 5>&1'), 'written\n')
  })
})
