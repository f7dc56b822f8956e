import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { listXattrs, setFileTimes, setXattr } from '#builder/linux'
import { FolderTransfers } from '#buildkit/files'
import { textOfName } from '#core'
import type { ReceiveOptions } from '../../../buildkit/files/folder-transfers.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { listing } from './peers/listing.ts'
import { data, END, FIN, file, folder, follow, link, type Step } from './peers/scripted-peer.ts'
import { sendAsClient } from './peers/sending-peer.ts'
import { StreamPair } from './peers/stream-pair.ts'

const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex')

describe('a folder that is received', () => {
  const transfers = new FolderTransfers()
  let directory: TemporaryDirectory
  let [theirs, ours] = ['', '']
  beforeEach(() => {
    directory = temporaryDirectory('received')
    theirs = directory.file('theirs')
    ours = directory.file('ours')
    for (const path of [theirs, ours]) mkdirSync(path)
  })
  afterEach(() => directory[Symbol.dispose]())
  after(() => transfers[Symbol.asyncDispose]())

  it('is what was sent', async () => {
    fill(theirs)
    assert.deepEqual(await transfer(), ['a/x', 'a/y', 'b/c/z', 'large', 'top'])
    assert.equal(listing(ours), listing(theirs))
  })

  it('is asked for what has changed only, and the rest is not written', async () => {
    fill(theirs)
    await transfer()
    const { ino, ctimeMs } = lstatSync(join(ours, 'large'))
    const folder = lstatSync(join(ours, 'a'), { bigint: true })
    appendFileSync(join(theirs, 'a/x'), ' and more')
    chmodSync(join(theirs, 'b/c/z'), 0o600)
    rmSync(join(theirs, 'a/y'))
    writeFileSync(join(theirs, 'a/new'), 'new')
    setFileTimes(join(theirs, 'a'), { atimeNs: 0n, mtimeNs: folder.mtimeNs })
    setFileTimes(join(theirs, 'top'), { atimeNs: 0n, mtimeNs: 1n })
    assert.deepEqual(await transfer(), ['a/new', 'a/x', 'b/c/z', 'top'])
    assert.equal(listing(ours), listing(theirs))
    const stays = lstatSync(join(ours, 'large'))
    assert.deepEqual([stays.ino, stays.ctimeMs], [ino, ctimeMs])
    assert.deepEqual(await transfer(), [])
  })

  it('has folders with their times, also where something was only removed', async () => {
    fill(theirs)
    await transfer()
    const { mtimeNs } = lstatSync(join(theirs, 'a'), { bigint: true })
    rmSync(join(theirs, 'a/y'))
    setFileTimes(join(theirs, 'a'), { atimeNs: 0n, mtimeNs })
    assert.deepEqual(await transfer(), [])
    assert.equal(listing(ours), listing(theirs))
  })

  it('has links, pipes, sockets and devices', async () => {
    symlinkSync('/nowhere', join(theirs, 'link'))
    execFileSync('mkfifo', ['-m', '620', join(theirs, 'pipe')])
    for (const [name, kind, numbers] of [
      ['disk', 'b', '7 70000'],
      ['tty', 'c', '4 64'],
    ] as const) {
      execFileSync('mknod', [join(theirs, name), kind, ...numbers.split(' ')])
    }
    assert.deepEqual(await transfer(), [])
    assert.equal(listing(ours), listing(theirs))
    rmSync(join(theirs, 'disk'))
    execFileSync('mknod', [join(theirs, 'disk'), 'b', '7', '70001'])
    setFileTimes(join(theirs, 'disk'), {
      atimeNs: 0n,
      mtimeNs: lstatSync(join(ours, 'disk'), { bigint: true }).mtimeNs,
    })
    await transfer()
    assert.equal(listing(ours), listing(theirs))
  })

  it('has a file without content for a socket, as clients send it', async () => {
    const server = createServer().listen(join(theirs, 'socket'))
    try {
      await transfer()
    } finally {
      server.close()
    }
    const found = lstatSync(join(ours, 'socket'))
    assert.ok(found.isFile())
    assert.equal(found.size, 0)
  })

  it('has files with several names, also when they change', async () => {
    writeFileSync(join(theirs, 'a'), 'one')
    for (const name of ['b', 'c']) linkSync(join(theirs, 'a'), join(theirs, name))
    assert.deepEqual(await transfer(), ['a'])
    assert.equal(listing(ours), listing(theirs))
    const { mtimeNs } = lstatSync(join(theirs, 'a'), { bigint: true })
    rmSync(join(theirs, 'b'))
    writeFileSync(join(theirs, 'b'), 'two')
    setFileTimes(join(theirs, 'b'), { atimeNs: 0n, mtimeNs })
    assert.deepEqual(await transfer(), ['b'])
    assert.equal(readFileSync(join(ours, 'c'), 'utf8'), 'one')
    assert.equal(listing(ours), listing(theirs))
    linkSync(join(theirs, 'b'), join(theirs, 'd'))
    await transfer()
    rmSync(join(theirs, 'd'))
    linkSync(join(theirs, 'a'), join(theirs, 'd'))
    assert.deepEqual(await transfer(), [])
    assert.equal(listing(ours), listing(theirs))
  })

  it('has attributes of programs and of users, and none of this machine', async () => {
    mkdirSync(join(theirs, 'dir'))
    writeFileSync(join(theirs, 'program'), 'x')
    const given = { 'user.one': 'two', 'user.overlay.opaque': 'y', 'trusted.overlay.opaque': 'y' }
    for (const name of ['dir', 'program']) {
      for (const [key, value] of Object.entries(given)) {
        setXattr(join(theirs, name), key, Buffer.from(value))
      }
    }
    setXattr(join(theirs, 'program'), 'security.capability', CAPABILITY)
    await transfer()
    assert.deepEqual([...listXattrs(join(ours, 'dir')).keys()], ['user.one'])
    const found = listXattrs(join(ours, 'program'))
    assert.deepEqual([...found.keys()].sort(), ['security.capability', 'user.one'])
    assert.deepEqual(found.get('security.capability'), CAPABILITY)
  })

  it('has more files than are asked for at a time', async () => {
    for (let index = 0; index < 2500; index++) writeFileSync(join(theirs, `${index}`), `${index}`)
    assert.equal((await transfer()).length, 2500)
    assert.equal(listing(ours), listing(theirs))
  })

  it('has files whose contents come in turn, more than are kept open', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `${1000 + index}`)
    const parts = ['one ', 'two ', 'three']
    const steps: Step[] = names.map((name) => file(name, parts.join('').length, { mode: 0o444 }))
    steps.push(END, ...names.map((): Step => 'request'))
    for (const part of [...parts, '']) steps.push(...names.map((_, id) => data(id, part)))
    await Promise.all(connect([...steps, 'finish', FIN]))
    assert.deepEqual(readdirSync(ours), names)
    for (const name of names) assert.equal(readFileSync(join(ours, name), 'utf8'), 'one two three')
    assert.deepEqual(
      new Set(names.map((name) => lstatSync(join(ours, name)).mode & 0o777)),
      new Set([0o444]),
    )
  })

  it('keeps names that are not text', async () => {
    const names = [Buffer.from([0xff]), Buffer.from([0xfe, 0x2f, 0xff]), Buffer.from('é\u202e')]
    mkdirSync(Buffer.concat([Buffer.from(`${theirs}/`), Buffer.from([0xfe])]))
    for (const name of names) writeFileSync(Buffer.concat([Buffer.from(`${theirs}/`), name]), 'x')
    await transfer()
    assert.equal(listing(ours), listing(theirs))
  })

  it('reports bytes, at least those of the contents', async () => {
    fill(theirs)
    const reported: number[] = []
    await transfer({ onProgress: (bytes) => reported.push(bytes) })
    assert.deepEqual(
      reported,
      reported.toSorted((a, b) => a - b),
    )
    assert.ok((reported.at(-1) ?? 0) > 1_000_000, `${reported.at(-1)}`)
    assert.ok(reported.length < 100, `${reported.length}`)
  })

  it('is taken up after it was cancelled', async () => {
    fill(theirs)
    const stop = new AbortController()
    const steps = [folder('a'), file('a/x', 100), END, 'request', data(1, 'some')] as const
    const [heard, received] = connect([...steps, 'request'], { signal: stop.signal })
    setTimeout(() => stop.abort(), 100)
    await assert.rejects(received, { code: 'CANCELLED' })
    assert.equal((await heard).failure, 'cancelled')
    await transfer()
    assert.equal(listing(ours), listing(theirs))
  })

  it('fails as the stream does', async () => {
    const { ours: stream, cut } = cuttable()
    setTimeout(() => cut(new Error('the client is gone')), 50)
    await assert.rejects(transfers.receiveFolder(stream, ours), /^Error: the client is gone$/)
  })

  it('does not wait for a peer that takes nothing any more', async () => {
    const stream = { ...new StreamPair().ours, send: () => new Promise<void>(() => undefined) }
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 50)
    await assert.rejects(transfers.receiveFolder(stream, ours, { signal: stop.signal }), {
      code: 'CANCELLED',
    })
  })

  it('waits for a place, and may be cancelled before it has one', async () => {
    const silent = new AbortController()
    const { signal } = silent
    const others = Array.from({ length: 24 }, () => {
      return assert.rejects(transfers.receiveFolder(new StreamPair().ours, ours, { signal }), {
        code: 'CANCELLED',
      })
    })
    const stop = new AbortController()
    const waiting = transfers.receiveFolder(new StreamPair().ours, ours, { signal: stop.signal })
    const next = transfer()
    stop.abort()
    await assert.rejects(waiting, { code: 'CANCELLED' })
    silent.abort()
    await Promise.all([...others, next])
  })

  it('has no more files than can be kept in mind', async () => {
    const names = Array.from({ length: 100 }, (_, index) => `${1000 + index}`)
    const steps = [...names.map((name) => file(name, 0)), END, 'finish', FIN] as const
    const [, refused] = connect(steps, { mostKept: 13_000 })
    await assert.rejects(refused, { code: 'USAGE' })
    await Promise.all(connect(steps, { mostKept: 14_000 }))
    // Links take none.
    const links = [...names.map((name) => link(name, 'x')), END, 'finish', FIN] as const
    await Promise.all(connect(links, { mostKept: 0 }))
    assert.ok(readdirSync(ours, { withFileTypes: true }).every((found) => found.isSymbolicLink()))
  })

  it('has to be there', async () => {
    const received = transfers.receiveFolder(new StreamPair().ours, directory.file('missing'))
    await assert.rejects(received, { code: 'IO_FAILED' })
  })

  async function transfer(options?: ReceiveOptions): Promise<readonly string[]> {
    const { ours: stream, theirs: peer } = new StreamPair()
    const [sent] = await Promise.all([
      sendAsClient(peer, theirs),
      transfers.receiveFolder(stream, ours, options),
    ])
    assert.ok(sent.isFinished)
    return sent.requested.map(textOfName).sort()
  }

  function connect(steps: readonly Step[], options?: ReceiveOptions) {
    const { ours: stream, theirs: peer } = new StreamPair()
    return [follow(peer, steps), transfers.receiveFolder(stream, ours, options)] as const
  }
})

function cuttable(): { readonly ours: StreamPair['ours']; readonly cut: (cause: Error) => void } {
  const pair = new StreamPair()
  return { ours: pair.ours, cut: (cause) => pair.cut(cause) }
}

function fill(folder: string): void {
  for (const path of ['a', 'b', 'b/c']) mkdirSync(join(folder, path))
  for (const path of ['a/x', 'a/y', 'b/c/z', 'top']) writeFileSync(join(folder, path), path)
  writeFileSync(join(folder, 'large'), Buffer.alloc(1_000_000, 'large'))
}
