import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { spawnSync } from 'node:child_process'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { decompress, detectCompression } from '#builder/layer'
import { fuzz, havoc, orTypedLater } from '../../../support/random/index.ts'

const CONTENTS = ['', 'a', 'content '.repeat(200), '\0'.repeat(3000)].map((text) =>
  Buffer.from(text),
)
const latin1 = (bytes: Buffer): string => bytes.toString('latin1')
const GZIPS = CONTENTS.flatMap((content) => {
  const packed = gzipSync(content)
  return [
    packed,
    Buffer.concat([packed, gzipSync('more')]),
    Buffer.concat([packed, Buffer.alloc(9)]),
  ]
})
const ZSTDS = CONTENTS.flatMap((content) => {
  const packed = zstdCompressSync(content)
  return [packed, Buffer.concat([packed, zstdCompressSync('more')])]
})

const inputs = fc.record({
  packed: havoc(fc.constantFrom(...[...GZIPS, ...ZSTDS].map(latin1)), 4),
  size: fc.integer({ min: 1, max: 300 }),
})

describe('fuzz: compressed bytes', () => {
  fuzz('F7: are what the tool of their name unpacks, or are refused', {
    name: 'codecs',
    inputs,
    check: async ({ packed, size }) => {
      const bytes = Buffer.from(packed, 'latin1')
      const kind = detectCompression(bytes)
      if (kind !== 'gzip' && kind !== 'zstd') return
      const unpacked = await orTypedLater(['LAYER_INVALID'], () => unpack(bytes, size, kind))
      if (unpacked === undefined) return
      const { status, stdout } = spawnSync(kind, ['-dc'], { input: bytes })
      // What follows zeros after the end is ignored by both; gzip warns of it.
      assert.ok(status === 0 || (kind === 'gzip' && status === 2), `${status}`)
      assert.ok(unpacked.equals(stdout))
    },
  })
})

/** Unpacks what comes in pieces of a size. */
async function unpack(bytes: Buffer, size: number, kind: 'gzip' | 'zstd'): Promise<Buffer> {
  async function* pieces(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of decompress(pieces(), kind)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
