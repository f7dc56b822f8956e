import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import {
  chmodSync,
  closeSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileCopier, FileFacts, makeNode, O_PATH, setFileTimes, setXattr } from '#builder/linux'
import type { Name } from '#core'

describe('files relative to a directory', () => {
  const isRoot = process.getuid?.() === 0
  let home: string
  let directory: number

  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'tsbuild-facts-'))
    directory = openSync(home, O_PATH)
  })

  afterEach(() => {
    closeSync(directory)
    rmSync(home, { recursive: true, force: true })
  })

  it('have the facts that lstat says', () => {
    mkdirSync(join(home, 'directory'), 0o750)
    writeFileSync(join(home, 'file'), 'text')
    symlinkSync('file', join(home, 'link'))
    makeNode(join(home, 'fifo'), 'fifo', { mode: 0o4644 })
    lutimesSync(join(home, 'link'), '-1.5', '-1.5')
    lutimesSync(join(home, 'file'), 5e9 + 0.25, 5e9 + 0.25)
    if (isRoot) lchownSync(join(home, 'link'), 4_000_000_000, 3)
    writeFileSync(Buffer.from(`${home}/\xff\xe9`, 'latin1'), '')
    const facts = new FileFacts()
    for (const name of ['directory', 'file', 'link', 'fifo', '\xff\xe9', '.']) {
      assert.equal(facts.read(directory, name as Name), true)
      const stats = lstatSync(Buffer.from(`${home}/${name}`, 'latin1'))
      const { inode, mode, uid, gid, size, changedMs, modifiedMs, bornMs } = facts
      assert.deepEqual(
        [inode, mode, uid, gid, size, changedMs, modifiedMs, bornMs],
        [
          ...[stats.ino, stats.mode, stats.uid, stats.gid, stats.size],
          ...[stats.ctimeMs, stats.mtimeMs, stats.birthtimeMs],
        ],
        name,
      )
      assert.equal(facts.is('directory'), stats.isDirectory())
    }
    assert.equal(facts.read(directory, 'absent' as Name), false)
  })

  it('are copied with rights and the exact time', () => {
    const [from, name, to] = [join(home, 'from'), 'from' as Name, 'to' as Name]
    writeFileSync(from, 'x'.repeat(100_000))
    if (isRoot) lchownSync(from, 12, 34)
    chmodSync(from, 0o4751)
    const mtimeNs = 1_234_567_890_123_456_789n
    setFileTimes(from, { atimeNs: 0n, mtimeNs })
    const copier = new FileCopier()
    const rights = { owners: isRoot ? 'keep' : 'drop' } as const
    assert.equal(copier.copy({ directory, name }, { directory, name: to }, rights), false)
    const [source, copy] = [from, join(home, to)].map((path) => lstatSync(path, { bigint: true }))
    for (const key of ['mode', 'uid', 'gid', 'size', 'mtimeNs'] as const) {
      assert.equal(copy?.[key], source?.[key], key)
    }
    assert.equal(copy?.mtimeNs, mtimeNs)
    assert.ok(readFileSync(join(home, to)).equals(readFileSync(from)))
  })

  it('are copied with rights from elsewhere, attributes told of and holes kept', () => {
    const [from, name, to] = [join(home, 'from'), 'from' as Name, 'to' as Name]
    writeFileSync(from, 'start')
    truncateSync(from, 5_000_000)
    writeFileSync(from, 'end', { flag: 'a' })
    setXattr(from, 'user.one', Buffer.from('1'))
    const stat = { mode: 0o640, uid: 7, gid: 8 }
    const copier = new FileCopier()
    const hasXattrs = copier.copy(
      { directory, name },
      { directory, name: to },
      { owners: 'drop', stat },
    )
    assert.equal(hasXattrs, true)
    const copy = lstatSync(join(home, to))
    assert.equal(copy.mode & 0o7777, 0o640)
    assert.equal(copy.uid, process.geteuid?.())
    assert.ok(copy.blocks <= 32, `${copy.blocks} blocks`)
    assert.ok(readFileSync(join(home, to)).equals(readFileSync(from)))
  })

  it('are not copied over another file, nor through a link', () => {
    writeFileSync(join(home, 'from'), 'text')
    writeFileSync(join(home, 'to'), 'stays')
    symlinkSync('from', join(home, 'link'))
    const copy = (name: string, to: string): void => {
      const target = { directory, name: to as Name }
      new FileCopier().copy({ directory, name: name as Name }, target, { owners: 'drop' })
    }
    assert.throws(() => copy('from', 'to'), { code: 'EEXIST' })
    assert.throws(() => copy('link', 'new'), { code: 'ELOOP' })
    assert.throws(() => copy('absent', 'new'), { code: 'ENOENT' })
    assert.equal(readFileSync(join(home, 'to'), 'utf8'), 'stays')
  })
})
