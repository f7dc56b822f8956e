import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MODULE = fileURLToPath(
  new URL('../../../../builder/linux/filesystem/write-all.js', import.meta.url),
)

/** Writes a file in both ways, with a kernel that takes a thousand bytes a call. */
const SCRIPT = `
const fs = require('node:fs')
const write = fs.writeSync
fs.writeSync = (fd, bytes, at, length, position) => write(fd, bytes, at, Math.min(length, 1000), position)
require('node:module').syncBuiltinESMExports()
import(process.argv[1]).then(({ writeAt, writeFully }) => {
  const bytes = Buffer.from(Array.from({ length: 12345 }, (_, index) => index % 251))
  const fd = fs.openSync(process.argv[2], 'w')
  writeFully(fd, bytes, 0, 5000)
  writeAt(fd, bytes.subarray(5000), 5000)
})
`

describe('what is written to a file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsbuild-write-all-'))
  after(() => rmSync(directory, { recursive: true }))

  it('is whole, however little of it each call takes', async () => {
    const path = join(directory, 'file')
    const child = spawn(process.execPath, ['-e', SCRIPT, MODULE, path], { stdio: 'inherit' })
    const [code] = await once(child, 'close')
    assert.equal(code, 0)
    const expected = Array.from({ length: 12345 }, (_, index) => index % 251)
    assert.deepEqual([...readFileSync(path)], expected)
  })
})
