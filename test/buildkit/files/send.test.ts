import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  lchownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { setXattr } from '#builder/linux'
import { FolderTransfers } from '#buildkit/files'
import { type Draft, PACKET, type Packet } from '#buildkit/messages'
import { bytesOfName, nameOf, TsbuildError } from '#core'
import type { FolderTransferOptions } from '../../../buildkit/files/folder-transfers.ts'
import type { PacketStream } from '../../../buildkit/files/packets/packet-stream.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { listing } from './peers/listing.ts'
import { EDITS, edit } from './peers/random-edits.ts'
import { type Received, type ReceivingOptions, receiveAsClient } from './peers/receiving-peer.ts'
import { DATA, FAILURE, FINISH, REQUEST, STAT, statsOf } from './peers/sending-peer.ts'
import { StreamPair } from './peers/stream-pair.ts'

describe('a folder that is sent', () => {
  const transfers = new FolderTransfers()
  let directory: TemporaryDirectory
  let ours = ''
  beforeEach(() => {
    directory = temporaryDirectory('sent')
    ours = directory.file('ours')
    mkdirSync(ours)
  })
  afterEach(() => directory[Symbol.dispose]())
  after(() => transfers[Symbol.asyncDispose]())

  it('is said entry by entry, and has the contents that are asked for', async () => {
    fill(ours)
    const { stats, contents, largest, isFinished } = await send()
    assert.deepEqual(stats, [...statsOf(ours)])
    assert.equal(contents.size, 3)
    for (const [id, content] of contents) assert.deepEqual(content, readContent(stats[id]?.path))
    assert.equal(largest, 32 * 1024)
    assert.ok(isFinished)
  })

  it('is the same where it arrives, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(EDITS, async (edits) => {
        for (const folder of [ours, directory.file('theirs')]) {
          rmSync(folder, { recursive: true, force: true })
          mkdirSync(folder)
        }
        edit(ours, edits)
        const { stats, contents } = await send()
        assert.deepEqual(stats, [...statsOf(ours)])
        for (const [id, content] of contents)
          assert.deepEqual(content, readContent(stats[id]?.path))
        const { ours: from, theirs: to } = new StreamPair()
        await Promise.all([
          transfers.sendFolder(from, ours),
          transfers.receiveFolder(to, directory.file('theirs')),
        ])
        assert.equal(listing(directory.file('theirs')), listing(ours))
      }),
      { numRuns: 30 },
    )
  })

  it('says owners, and attributes but those of overlays', async () => {
    writeFileSync(join(ours, 'a'), '')
    lchownSync(join(ours, 'a'), 1000, 2000)
    for (const name of ['user.one', 'user.overlay.opaque']) {
      setXattr(join(ours, 'a'), name, Buffer.from('y'))
    }
    const [stat] = (await send()).stats
    assert.deepEqual([stat?.uid, stat?.gid], [1000, 2000])
    assert.deepEqual(stat?.xattrs, new Map([['user.one', Buffer.from('y')]]))
  })

  it('has files without content for sockets', async () => {
    const server = createServer().listen(join(ours, 'socket'))
    try {
      const { stats, contents } = await send()
      assert.equal((stats[0]?.mode ?? 0) & ~0o777, 0)
      assert.deepEqual(contents, new Map([[0, Buffer.alloc(0)]]))
    } finally {
      server.close()
    }
  })

  it('may be wanted in parts, or not at all', async () => {
    fill(ours)
    const { contents } = await send({ wants: ({ path }) => path === 'dir/x' })
    assert.deepEqual([...contents.values()], [readContent(nameOf('dir/x'))])
    assert.equal((await send({ wants: () => false })).contents.size, 0)
    rmSync(ours, { recursive: true })
    mkdirSync(ours)
    assert.deepEqual((await send()).stats, [])
  })

  it('reports bytes, at least those of the contents', async () => {
    fill(ours)
    const reported: number[] = []
    await send({}, { onProgress: (bytes) => reported.push(bytes) })
    assert.ok((reported.at(-1) ?? 0) > 1_000_000, `${reported.at(-1)}`)
  })

  const HOSTILE: Readonly<Record<string, ReceivingOptions>> = {
    'a request for a folder': says({ type: REQUEST, ID: 0 }),
    'a request for a link': says({ type: REQUEST, ID: 4 }),
    'a request beyond all files': says({ type: REQUEST, ID: 99 }),
    'a request for what was asked for': says({ type: REQUEST, ID: 1 }),
    'an end before the last entry': { saysFirst: [{ type: FINISH }] },
    'a request before the entry': { saysFirst: [{ type: REQUEST, ID: 1 }] },
    'a packet after the end': says({ type: FINISH }, { type: REQUEST, ID: 1 }),
    'an entry': says({ type: STAT, stat: { path: nameOf('x') } }),
    'a content': says({ type: DATA, ID: 1 }),
    'a packet of a kind that is unknown': says({ type: 9 }),
  }
  for (const [title, options] of Object.entries(HOSTILE)) {
    it(`has no receiver that breaks the protocol: ${title}`, async () => {
      fill(ours)
      const [received, sent] = await settle(options)
      assert.equal(codeOf(sent), 'USAGE')
      assert.ok(
        received.status === 'fulfilled' && !received.value.stats.includes(undefined as never),
      )
      assert.ok((await send()).isFinished)
    })
  }

  it('fails as its receiver does', async () => {
    fill(ours)
    const data = Buffer.from('no space\x1b[2J')
    const [, sent] = await settle({ says: [{ type: FAILURE, data }] })
    assert.equal(codeOf(sent), 'IO_FAILED')
    assert.match(`${sent.status === 'rejected' && sent.reason}`, /no space\uFFFD\[2J$/)
  })

  it('fails when its receiver is gone, at any packet', async () => {
    fill(ours)
    for (const count of [0, 1, 5, 6, 7, 20, 40]) {
      const pair = new StreamPair()
      const stream = { ...pair.theirs, messages: cutAfter(pair.theirs.messages, count, pair) }
      const sending = transfers.sendFolder(pair.ours, ours)
      const [sent] = await Promise.allSettled([sending, receiveAsClient(stream)])
      assert.match(`${sent.status === 'rejected' && sent.reason}`, /^Error: gone$/)
    }
  })

  const SILENT: Readonly<Record<string, readonly Draft<Packet>[]>> = {
    nothing: [],
    'requests only': [{ type: REQUEST, ID: 1 }],
    'requests and the end': [{ type: REQUEST, ID: 1 }, { type: FINISH }],
  }
  for (const [title, packets] of Object.entries(SILENT)) {
    it(`does not wait for a receiver that takes nothing, and says ${title}`, async () => {
      writeFileSync(join(ours, 'a'), '')
      writeFileSync(join(ours, 'b'), Buffer.alloc(8 * 1024 * 1024))
      const stop = new AbortController()
      const { send, refused } = silentStream(packets)
      const sending = transfers.sendFolder(send, ours, { signal: stop.signal })
      await refused
      await setTimeout(50)
      stop.abort()
      await assert.rejects(sending, { code: 'CANCELLED' })
    })
  }

  it('does not wait for a receiver that takes nothing, and breaks the protocol', async () => {
    writeFileSync(join(ours, 'a'), '')
    writeFileSync(join(ours, 'b'), Buffer.alloc(8 * 1024 * 1024))
    const { send } = silentStream([{ type: REQUEST, ID: 1 }, { type: 9 }])
    await assert.rejects(transfers.sendFolder(send, ours), { code: 'USAGE' })
  })

  it('fails when it cannot be read', async () => {
    fill(ours)
    const wants = ({ path }: { readonly path: string }): boolean => {
      rmSync(join(ours, 'large'), { force: true })
      return path === 'large'
    }
    const [received, sent] = await settle({ wants })
    assert.equal(codeOf(sent), 'IO_FAILED')
    assert.match(`${received.status === 'fulfilled' && received.value.failure}`, /large/)
    const missing = transfers.sendFolder(new StreamPair().ours, directory.file('missing'))
    await assert.rejects(missing, { code: 'IO_FAILED' })
  })

  it('does not wait for a receiver that neither ends nor hears of a failure', async () => {
    writeFileSync(join(ours, 'a'), '')
    writeFileSync(join(ours, 'b'), 'b')
    const { send: stream } = silentStream([{ type: REQUEST, ID: 1 }], () => rmSync(join(ours, 'b')))
    await assert.rejects(transfers.sendFolder(stream, ours), { code: 'IO_FAILED' })
    assert.ok((await send()).isFinished)
  })

  async function send(options?: ReceivingOptions, more?: FolderTransferOptions): Promise<Received> {
    const { ours: stream, theirs } = new StreamPair()
    const sending = transfers.sendFolder(stream, ours, more)
    const [received] = await Promise.all([receiveAsClient(theirs, options), sending])
    return received
  }

  function settle(options: ReceivingOptions) {
    const { ours: stream, theirs } = new StreamPair()
    const sending = transfers.sendFolder(stream, ours)
    return Promise.allSettled([receiveAsClient(theirs, options), sending] as const)
  }

  function readContent(path = nameOf('')): Buffer {
    return readFileSync(Buffer.concat([Buffer.from(`${ours}/`), bytesOfName(path)]))
  }
})

/** Takes the entries, says packets, and takes nothing more; `refused` when it should. */
function silentStream(
  packets: readonly Draft<Packet>[],
  onEntries?: () => void,
): {
  readonly send: PacketStream
  readonly refused: Promise<void>
} {
  const entries = Promise.withResolvers<void>()
  const refused = Promise.withResolvers<void>()
  async function* messages(): AsyncGenerator<Buffer> {
    await entries.promise
    onEntries?.()
    for (const packet of packets) {
      yield PACKET.encode(packet)
      await setTimeout(20)
    }
    refused.resolve()
    if (packets.at(-1)?.type !== FINISH) await new Promise(() => undefined)
  }
  let count = 0
  const send = (message: Uint8Array): Promise<void> => {
    const isEnd = message.length === 0
    if (isEnd) entries.resolve()
    return count++ < 3 ? Promise.resolve() : new Promise(() => undefined)
  }
  return {
    send: { send, end: () => undefined, messages: messages() },
    refused: refused.promise,
  }
}

function says(...packets: Draft<Packet>[]): ReceivingOptions {
  return { says: packets }
}

function codeOf(result: PromiseSettledResult<unknown>): string {
  if (result.status === 'fulfilled') return 'nothing failed'
  return result.reason instanceof TsbuildError ? result.reason.code : `${result.reason}`
}

async function* cutAfter(
  messages: AsyncIterable<Buffer>,
  count: number,
  pair: StreamPair,
): AsyncGenerator<Buffer> {
  let passed = 0
  for await (const message of messages) {
    if (passed++ === count) pair.cut(new Error('gone'))
    yield message
  }
}

/** A folder 0, a file 1 of it, a large file 2, another name of it 3, a link 4, a pipe 5, a file 6. */
function fill(folder: string): void {
  mkdirSync(join(folder, 'dir'))
  writeFileSync(join(folder, 'dir/x'), 'x')
  writeFileSync(join(folder, 'large'), Buffer.alloc(1_000_000, 'large'))
  linkSync(join(folder, 'large'), join(folder, 'large too'))
  symlinkSync('nowhere', join(folder, 'link'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  writeFileSync(join(folder, 'top'), 'top')
}
