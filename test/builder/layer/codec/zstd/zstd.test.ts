import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import type { Transform } from 'node:stream'
import { type SimpleCodec, ZstdCodec } from 'zstd-codec'
import streams from 'zstd-codec/lib/zstd-stream.js'
import { compress, decompress } from '#builder/layer'
import { chunked, collected } from '../../support/files.ts'

/** Blocks of every kind: random, repeated, text. */
const SAMPLE = Buffer.concat([
  randomBytes(300_001),
  Buffer.alloc(1_500_000, 'the same again '),
  Buffer.from(Array.from({ length: 100_000 }, (_, i) => `line ${i * 7}\n`).join('')),
])

/** What `bytes` become in a stream of zstd-codec, 64 KiB at a time. */
async function pipeThrough(stream: Transform, bytes: Buffer): Promise<Buffer> {
  const result = collected(stream)
  for await (const chunk of chunked(bytes, 65_536)) stream.write(chunk)
  stream.end()
  return result
}

const unpack = (bytes: Buffer): Promise<Buffer> => collected(decompress(chunked(bytes), 'zstd'))

/** The reference code of zstd, compiled to WebAssembly: a reader and writer that are not Node's. */
describe('zstd and zstd-codec', () => {
  let codec: SimpleCodec
  let makePacker: (level: number) => Transform
  let makeUnpacker: () => Transform

  before((done) => {
    ZstdCodec.run((zstd) => {
      codec = new zstd.Simple()
      streams.run(({ ZstdCompressTransform, ZstdDecompressTransform }) => {
        makePacker = (level) => new ZstdCompressTransform(level)
        makeUnpacker = () => new ZstdDecompressTransform()
        done()
      })
    })
  })

  const packed = (bytes: Buffer, level: number): Buffer => {
    const frame = codec.compress(bytes, level)
    assert(frame !== null)
    return Buffer.from(frame)
  }

  it('agree on what we pack', async () => {
    for (const [name, bytes] of Object.entries({
      all: SAMPLE,
      'one byte': Buffer.from('x'),
      nothing: Buffer.alloc(0),
    })) {
      const frame = await collected(compress(chunked(bytes), 'zstd'))
      assert((await pipeThrough(makeUnpacker(), frame)).equals(bytes), name)
    }
  })

  it('agree on what it packs, at several levels and as a stream', async () => {
    for (const level of [1, 2, 3]) {
      assert((await unpack(packed(SAMPLE, level))).equals(SAMPLE), `level ${level}`)
    }
    assert((await unpack(await pipeThrough(makePacker(3), SAMPLE))).equals(SAMPLE))
    assert.equal((await unpack(packed(Buffer.alloc(0), 3))).length, 0)
  })

  it('agree on frames one after the other', async () => {
    const ours = await collected(compress(chunked(SAMPLE), 'zstd'))
    const theirs = packed(SAMPLE.subarray(0, 400_000), 3)
    const both = Buffer.concat([theirs, ours, theirs])
    const whole = Buffer.concat([SAMPLE.subarray(0, 400_000), SAMPLE, SAMPLE.subarray(0, 400_000)])
    assert((await unpack(both)).equals(whole))
    assert((await pipeThrough(makeUnpacker(), both)).equals(whole))
  })

  it('refuse the same damage', async () => {
    const damaged = await collected(compress(chunked(SAMPLE), 'zstd'))
    damaged.fill(0xff, damaged.length >> 1, (damaged.length >> 1) + 100)
    await assert.rejects(unpack(damaged), { code: 'LAYER_INVALID' })
    await assert.rejects(pipeThrough(makeUnpacker(), damaged), /Error on _transform/)
  })
})
