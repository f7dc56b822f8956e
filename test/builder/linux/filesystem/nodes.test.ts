import assert from 'node:assert/strict'
import { chmodSync, lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeNode, setNodeMode } from '#builder/linux'

describe('nodes of file systems', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsbuild-nodes-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const modeOf = (name: string): number => lstatSync(join(folder, name)).mode & 0o7777

  it('have the mode that is asked for, whatever the umask is', () => {
    makeNode(join(folder, 'fifo'), 'fifo', { mode: 0o2666 })
    makeNode(join(folder, 'socket'), 'socket', { mode: 0o777 })
    assert.deepEqual([modeOf('fifo'), modeOf('socket')], [0o2666, 0o777])
  })

  it('give no mode to what a link in their place leads to', () => {
    writeFileSync(join(folder, 'outside'), '', { mode: 0o600 })
    symlinkSync('outside', join(folder, 'link'))
    assert.throws(() => setNodeMode(join(folder, 'link'), 0o4777))
    assert.equal(modeOf('outside'), 0o600)
    // The twin.
    chmodSync(join(folder, 'link'), 0o640)
    assert.equal(modeOf('outside'), 0o640)
  })
})
