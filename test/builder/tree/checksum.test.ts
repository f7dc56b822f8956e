import assert from 'node:assert/strict'
import { openSync, writeFileSync } from 'node:fs'
import { Checksum, digestFile } from '#builder/tree'
import { digestOf, type FileStat, nameOf } from '#core'
import type { ChecksumEntry } from '../../../builder/tree/checksum.ts'
import { temporaryDirectory } from '../../support/peers/index.ts'

const STAT: FileStat = {
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 3,
  mtimeMs: 1000,
  major: 0,
  minor: 0,
  inode: '',
  nlink: 1,
}
const ENTRY: ChecksumEntry = { name: nameOf('a'), stat: STAT, data: digestOf('abc') }

function checksumOf(entry: ChecksumEntry): string {
  const checksum = new Checksum()
  checksum.add(entry)
  return checksum.digest()
}

describe('content checksum', () => {
  it('does not depend on times, inodes and link counts', () => {
    const stat = { ...STAT, mtimeMs: 5, inode: '7', nlink: 3 }
    assert.equal(checksumOf({ ...ENTRY, stat }), checksumOf(ENTRY))
  })

  it('depends on everything else', () => {
    const capability = new Map([['security.capability', Buffer.from('x')]])
    const changed: ChecksumEntry[] = [
      ENTRY,
      { ...ENTRY, name: nameOf('b') },
      { ...ENTRY, data: digestOf('abd') },
      { ...ENTRY, xattrs: capability },
      { ...ENTRY, stat: { ...STAT, mode: 0o4644 } },
      { ...ENTRY, stat: { ...STAT, uid: 1 } },
      { ...ENTRY, stat: { ...STAT, gid: 1 } },
      { ...ENTRY, stat: { ...STAT, size: 4 } },
      { name: ENTRY.name, stat: { ...STAT, type: 'fifo' } },
      { name: ENTRY.name, stat: { ...STAT, type: 'character', major: 1, minor: 3 } },
      { name: ENTRY.name, stat: { ...STAT, type: 'character', major: 1, minor: 5 } },
      { name: ENTRY.name, stat: { ...STAT, type: 'symlink' }, target: nameOf('x') },
      { name: ENTRY.name, stat: { ...STAT, type: 'symlink' }, target: nameOf('y') },
    ]
    const digests = new Set(changed.map(checksumOf))
    assert.equal(digests.size, changed.length)
  })

  it('does not count the mode of a symbolic link', () => {
    const link = (mode: number) =>
      checksumOf({ ...ENTRY, stat: { ...STAT, type: 'symlink', mode }, target: nameOf('x') })
    assert.equal(link(0o777), link(0o755))
  })

  it('digests files of every size around the buffer', () => {
    using directory = temporaryDirectory('digest')
    for (const size of [0, 1, (1 << 18) - 1, 1 << 18, (1 << 18) + 1, 1_000_000]) {
      const bytes = Buffer.alloc(size, 'tsbuild')
      writeFileSync(directory.file('f'), bytes)
      assert.equal(
        digestFile(() => openSync(directory.file('f'), 'r')),
        digestOf(bytes),
      )
    }
  })
})
