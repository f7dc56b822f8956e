/** Reads a zstd:chunked blob as those do that fetch parts of it: nothing here is the packer's. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { zstdDecompressSync } from 'node:zlib'

/** An entry of the table, as it is written there. */
export interface TableEntry {
  readonly type: string
  readonly name: string
  readonly linkName?: string
  readonly mode?: number
  readonly size?: number
  readonly uid?: number
  readonly gid?: number
  readonly modtime?: string
  readonly accesstime?: string
  readonly xattrs?: Record<string, string>
  readonly devMajor?: number
  readonly devMinor?: number
  readonly digest?: string
  readonly offset?: number
  readonly endOffset?: number
  readonly chunkSize?: number
  readonly chunkOffset?: number
  readonly chunkDigest?: string
}

const PREFIX = 'io.github.containers.zstd-chunked'

export type Annotations = Readonly<Record<string, string>>

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function numbers(annotations: Annotations, key: string): number[] {
  return (annotations[`${PREFIX}.${key}`] ?? '').split(':').map(Number)
}

/** The table that annotations lead to, which have to agree with it and with the footer. */
export function tableOf(
  blob: Buffer,
  annotations: Annotations,
): { readonly entries: readonly TableEntry[]; readonly tarSplit: string } {
  const [offset = 0, length = 0, unpacked = 0, type = 0] = numbers(annotations, 'manifest-position')
  const [splitAt = 0, splitLength = 0, splitUnpacked] = numbers(annotations, 'tarsplit-position')
  assert.equal(type, 1)
  const footer = blob.subarray(-64)
  const words = [0, 1, 2, 3, 4, 5, 6].map((index) => Number(footer.readBigUInt64LE(index * 8)))
  assert.deepEqual(words, [offset, length, unpacked, 1, splitAt, splitLength, splitUnpacked])
  assert.equal(footer.toString('latin1', 56), 'GNUlInUx')
  const packed = blob.subarray(offset, offset + length)
  assert.equal(sha256(packed), annotations[`${PREFIX}.manifest-checksum`])
  const table = zstdDecompressSync(packed)
  assert.equal(table.length, unpacked)
  const { version, entries, tarSplitDigest } = JSON.parse(table.toString())
  assert.equal(version, 1)
  const packedSplit = blob.subarray(splitAt, splitAt + splitLength)
  assert.equal(sha256(packedSplit), tarSplitDigest)
  const tarSplit = zstdDecompressSync(packedSplit)
  assert.equal(tarSplit.length, splitUnpacked)
  return { entries, tarSplit: tarSplit.toString() }
}

/** The contents of all files with content, each taken from its range alone, and its digest checked. */
export function filesOf(blob: Buffer, entries: readonly TableEntry[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (const [index, entry] of entries.entries()) {
    if (entry.type !== 'reg' || entry.size === undefined) continue
    const end = entries.findIndex(({ type }, at) => at > index && type !== 'chunk')
    const chunks = entries.slice(index, end < 0 ? undefined : end)
    const parts = chunks.map((chunk, at) => {
      const next = chunks[at + 1]?.offset ?? entry.endOffset
      const part = zstdDecompressSync(blob.subarray(chunk.offset, next))
      assert.equal(chunk.name, entry.name)
      if (chunks.length > 1) {
        assert.equal(part.length, chunk.chunkSize)
        assert.equal(sha256(part), chunk.chunkDigest)
      }
      return part
    })
    const offsets = chunks.map(({ chunkOffset = 0 }) => chunkOffset)
    let at = 0
    for (const [position, part] of parts.entries()) {
      assert.equal(offsets[position], at)
      at += part.length
    }
    const content = Buffer.concat(parts)
    assert.equal(content.length, entry.size)
    assert.equal(sha256(content), entry.digest)
    files.set(entry.name, content)
  }
  return files
}

/** The tar that the records of tar-split make of these files. */
export function reassembled(tarSplit: string, files: ReadonlyMap<string, Buffer>): Buffer {
  const parts = tarSplit
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index): Buffer => {
      const { type, name, size = 0, payload, position } = JSON.parse(line)
      assert.equal(position, index)
      if (type === 2) return Buffer.from(payload, 'base64')
      assert.equal(type, 1)
      if (size === 0) return Buffer.alloc(0)
      const content = files.get(name) ?? Buffer.alloc(0)
      assert.equal(content.length, size)
      assert.equal(Buffer.from(payload, 'base64').readBigUInt64BE(), crc64(content))
      return content
    })
  return Buffer.concat(parts)
}

/** Bit by bit, as ISO 3309 defines it. */
export function crc64(bytes: Uint8Array): bigint {
  const mask = (1n << 64n) - 1n
  const table = Array.from({ length: 256 }, (_, index) => {
    let sum = BigInt(index)
    for (let bit = 0; bit < 8; bit++) sum = sum & 1n ? (sum >> 1n) ^ (0xd8n << 56n) : sum >> 1n
    return sum
  })
  let sum = mask
  for (const byte of bytes) sum = (sum >> 8n) ^ (table[Number((sum ^ BigInt(byte)) & 0xffn)] ?? 0n)
  return sum ^ mask
}
