import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { addNote } from '../../shipped/executable/elf-note.ts'
import { run, type TemporaryDirectory, temporaryDirectory } from '../support/peers/index.ts'

/** Of a note, with its name. */
const HEAD_BYTES = 12 + 'TEST\0\0\0\0'.length

describe('a note in an executable', () => {
  let directory: TemporaryDirectory
  before(() => {
    directory = temporaryDirectory('note')
  })
  after(() => directory[Symbol.dispose]())

  for (const [what, program, args] of [
    ['that is linked statically', '/bin/busybox', ['echo', '42']],
    ['that is loaded anywhere', '/usr/bin/printf', ['%s\n', '42']],
    ['that has a place of its own', process.execPath, ['-p', '6 * 7']],
  ] as const) {
    it(`${what} is found, and changes nothing`, async () => {
      const note = randomBytes(100_001)
      const path = directory.file(basename(program))
      const executable = addNote(readFileSync(program), 'TEST', note)
      writeFileSync(path, executable, { mode: 0o755 })
      const { stdout } = await run('readelf', ['--wide', '--notes', path])
      assert.match(stdout, /^ {2}TEST\s+0x000186a1\t/m)
      const start = executable.indexOf(note)
      assert.ok(start > 0)
      const { stdout: headers } = await run('readelf', ['--wide', '--program-headers', path])
      const [offset = 0, address = 0] = lastSegment(headers, 'NOTE')
      assert.equal(offset, start - HEAD_BYTES)
      const [from = 0, at = 0, size = 0] = lastSegment(headers, 'LOAD')
      assert.equal(address - at, offset - from)
      assert.ok(start + note.length <= from + size)
      assert.equal((await run(path, args)).stdout, '42\n')
    })
  }
})

/** Offset, address and size of the last segment of a type, as readelf(1) prints them. */
function lastSegment(headers: string, type: string): readonly number[] {
  const line = headers.split('\n').findLast((one) => one.startsWith(`  ${type} `)) ?? ''
  const [offset, address, , size] = line.match(/0x\w+/g) ?? []
  return [offset, address, size].map(Number)
}
