import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import {
  getXattr,
  isUserNamespace,
  listXattrs,
  makeNode,
  makeWhiteout,
  opaqueXattr,
  setXattr,
} from '#builder/linux'

describe('extended attributes and nodes', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync('/tmp/tsbuild-linux-test-')
    writeFileSync(`${directory}/file`, '')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('sets, lists and gets', () => {
    const file = `${directory}/file`
    assert.deepEqual(listXattrs(file), new Map())
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
    setXattr(file, 'security.capability', capability)
    setXattr(file, 'trusted.empty', Buffer.alloc(0))
    setXattr(Buffer.from(file), 'user.nul', Buffer.from('a\0b'))
    assert.deepEqual(
      listXattrs(file),
      new Map([
        ['security.capability', capability],
        ['trusted.empty', Buffer.alloc(0)],
        ['user.nul', Buffer.from('a\0b')],
      ]),
    )
    assert.deepEqual(getXattr(Buffer.from(file), 'user.nul'), Buffer.from('a\0b'))
    assert.equal(getXattr(file, 'user.none'), undefined)
  })

  it('reads lists and values of any size', () => {
    const file = `${directory}/file`
    for (let index = 0; index < 60; index++)
      setXattr(file, `user.${'n'.repeat(40)}${index}`, Buffer.of(index))
    assert.equal(listXattrs(file).size, 60)
    rmSync(file)
    writeFileSync(file, '')
    const value = Buffer.alloc(3500, 7)
    setXattr(file, 'user.big', value)
    assert.deepEqual(getXattr(file, 'user.big'), value)
  })

  it('never follows a link', () => {
    setXattr(`${directory}/file`, 'trusted.file', Buffer.of(1))
    symlinkSync('file', `${directory}/link`)
    assert.deepEqual(listXattrs(`${directory}/link`), new Map())
    setXattr(`${directory}/link`, 'trusted.link', Buffer.of(2))
    assert.deepEqual([...listXattrs(`${directory}/link`).keys()], ['trusted.link'])
    assert.deepEqual([...listXattrs(`${directory}/file`).keys()], ['trusted.file'])
  })

  it('takes names that are not UTF-8, and none with a NUL', () => {
    const odd = Buffer.concat([Buffer.from(`${directory}/`), Buffer.of(0xff, 0xfe)])
    writeFileSync(odd, '')
    setXattr(odd, 'user.x', Buffer.of(1))
    assert.deepEqual(getXattr(odd, 'user.x'), Buffer.of(1))
    assert.throws(() => listXattrs(`${directory}/file\0x`), { code: 'EINVAL' })
  })

  it('fails with the code of the system call', () => {
    const message = /^ENOENT: no such file or directory, llistxattr '\/tmp\/.*\/none'$/
    assert.throws(() => listXattrs(`${directory}/none`), { code: 'ENOENT', message })
    assert.throws(() => setXattr(`${directory}/file`, 'nonsense', Buffer.of(1)), {
      code: 'ENOTSUP',
    })
  })

  it('makes devices, fifos and sockets with exact modes', () => {
    const old = process.umask(0o77)
    try {
      makeNode(`${directory}/b`, 'block', { mode: 0o6666, major: 259, minor: 300 })
      makeNode(`${directory}/c`, 'character', { mode: 0o600, major: 1, minor: 3 })
      makeNode(`${directory}/p`, 'fifo', { mode: 0o622 })
      makeNode(`${directory}/s`, 'socket', { mode: 0o755 })
    } finally {
      process.umask(old)
    }
    const stats = ['b', 'c', 'p', 's'].map((name) => lstatSync(`${directory}/${name}`))
    assert.deepEqual(
      stats.map((stat) => stat.mode.toString(8)),
      ['66666', '20600', '10622', '140755'],
    )
    assert.deepEqual(
      stats.slice(0, 2).map((stat) => stat.rdev),
      [0x11032c, 0x103],
    )
  })

  it('makes whiteouts', () => {
    makeWhiteout(`${directory}/w`)
    const stat = lstatSync(`${directory}/w`)
    assert.deepEqual([stat.isCharacterDevice(), stat.rdev], [true, 0])
  })

  it('finds that this is not a user namespace', () => {
    assert.equal(isUserNamespace(), false)
    assert.equal(opaqueXattr(), 'trusted.overlay.opaque')
  })
})
