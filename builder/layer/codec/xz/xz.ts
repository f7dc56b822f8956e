/** Unpacking of xz, which Node does not have. Spec: The .xz File Format 1.2.1 */
import { Buffer } from 'node:buffer'
import { crc32 } from 'node:zlib'
import { type Bytes, Digester, hexOf } from '#core'
import { ByteQueue } from '../bytes/byte-queue.ts'
import { CodecError } from '../bytes/codec-error.ts'
import { Crc64 } from './crc64.ts'
import { Window } from './lzma-window.ts'
import { readExactly, unlzma2 } from './lzma2.ts'

const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])
const FOOTER_MAGIC = Buffer.from('YZ')
const HEADER_BYTES = 12
const INDEX = 0
/** Bytes of the check behind each block, by its type. */
const CHECK_SIZES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64]
const LZMA2 = 0x21
/** Bytes. The highest level of xz uses 64 MiB. */
const MAX_WINDOW = 128 * 1024 * 1024

interface BlockSizes {
  /** Of the packed block, without its padding. */
  readonly packed: number
  readonly unpacked: number
}

/** Unpacks all streams, one after another, and verifies their checks. @throws {CodecError} */
export async function* unxz(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  await using queue = new ByteQueue(bytes)
  const window = new Window()
  do {
    yield* unpackStream(queue, window)
    await skipPadding(queue)
  } while ((await queue.peek(1)).length > 0)
}

async function* unpackStream(
  queue: ByteQueue,
  window: Window,
): AsyncGenerator<Uint8Array, void, undefined> {
  const header = Buffer.from(await readExactly(queue, HEADER_BYTES))
  const flags = header.subarray(6, 8)
  const isHeader = MAGIC.equals(header.subarray(0, MAGIC.length)) && flags[0] === 0
  if (!isHeader || crc32(flags) !== header.readUInt32LE(8)) {
    throw new CodecError('it does not go on with a stream')
  }
  const check = flags[1] ?? 0
  if (check > 15) throw new CodecError('the check of the stream is unknown')
  const blocks: BlockSizes[] = []
  for (;;) {
    const [size = INDEX] = await readExactly(queue, 1)
    if (size === INDEX) break
    blocks.push(yield* unpackBlock(queue, { size, check, window }))
  }
  const indexSize = await readIndex(queue, blocks)
  const footer = Buffer.from(await readExactly(queue, HEADER_BYTES))
  const isFooter =
    footer.subarray(10).equals(FOOTER_MAGIC) &&
    footer.subarray(8, 10).equals(flags) &&
    crc32(footer.subarray(4, 10)) === footer.readUInt32LE(0) &&
    (footer.readUInt32LE(4) + 1) * 4 === indexSize
  if (!isFooter) throw new CodecError('the stream has no proper end')
}

interface BlockOptions {
  /** The first byte of the block. */
  readonly size: number
  readonly check: number
  readonly window: Window
}

async function* unpackBlock(
  queue: ByteQueue,
  { size, check, window }: BlockOptions,
): AsyncGenerator<Uint8Array, BlockSizes, undefined> {
  const headerSize = (size + 1) * 4
  const header = Buffer.concat([Buffer.of(size), await readExactly(queue, headerSize - 1)])
  const block = readBlockHeader(header)
  const digest = digestOf(check)
  let taken = 0
  let unpacked = 0
  window.begin(block.window)
  for await (const piece of unlzma2(queue, window)) {
    taken += piece.taken
    unpacked += piece.bytes.length
    digest?.update(piece.bytes)
    if (piece.bytes.length > 0) yield piece.bytes
  }
  if ((block.packed ?? taken) !== taken || (block.unpacked ?? unpacked) !== unpacked) {
    throw new CodecError('a block has another size')
  }
  const padding = await readExactly(queue, -taken & 3)
  const sum = await readExactly(queue, CHECK_SIZES[check] ?? 0)
  const isRight = digest === undefined || Buffer.compare(digest.digest(), sum) === 0
  if (padding.some((byte) => byte !== 0) || !isRight) {
    throw new CodecError('a block has another checksum')
  }
  return { packed: headerSize + taken + sum.length, unpacked }
}

interface BlockHeader {
  readonly packed: number | undefined
  readonly unpacked: number | undefined
  /** Bytes. */
  readonly window: number
}

function readBlockHeader(header: Buffer): BlockHeader {
  const end = header.length - 4
  if (crc32(header.subarray(0, end)) !== header.readUInt32LE(end)) {
    throw new CodecError('the header of a block is damaged')
  }
  const flags = header[1] ?? 0
  const numbers = new Numbers(header.subarray(2, end))
  const packed = (flags & 0x40) === 0 ? undefined : numbers.next()
  const unpacked = (flags & 0x80) === 0 ? undefined : numbers.next()
  const filter = numbers.next()
  if ((flags & 3) !== 0 || filter !== LZMA2) {
    throw new CodecError('filters other than LZMA2 are not supported')
  }
  if ((flags & 0x3c) !== 0 || numbers.next() !== 1) {
    throw new CodecError('the header of a block is damaged')
  }
  return { packed, unpacked, window: windowSize(numbers.next()) }
}

function windowSize(code: number): number {
  const size = code > 40 ? Number.NaN : (2 | (code & 1)) * 2 ** ((code >>> 1) + 11)
  if (size <= MAX_WINDOW) return size
  throw new CodecError(`it wants more than ${MAX_WINDOW} bytes of memory`)
}

/** Checks the index against the blocks. @returns its size in bytes */
async function readIndex(queue: ByteQueue, blocks: readonly BlockSizes[]): Promise<number> {
  const most = (1 + blocks.length * 2) * 9
  const numbers = new Numbers(await queue.peek(most))
  const damaged = new CodecError('the index is damaged')
  if (numbers.next() !== blocks.length) throw damaged
  for (const { packed, unpacked } of blocks) {
    if (numbers.next() !== packed || numbers.next() !== unpacked) throw damaged
  }
  const size = numbers.position + (-(numbers.position + 1) & 3)
  const index = Buffer.concat([Buffer.of(INDEX), await readExactly(queue, size)])
  const sum = Buffer.from(await readExactly(queue, 4)).readUInt32LE(0)
  if (index.subarray(1 + numbers.position).some((byte) => byte !== 0)) throw damaged
  if (crc32(index) !== sum) throw damaged
  return index.length + 4
}

/** Numbers of seven bits a byte, the lowest first. */
class Numbers {
  readonly #bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** @throws {CodecError} */
  next(): number {
    let number = 0
    for (let weight = 1; ; weight *= 128) {
      const byte = this.#bytes[this.position++]
      if (byte === undefined || weight > 2 ** 49) throw new CodecError('a number is damaged')
      number += (byte & 0x7f) * weight
      if (byte < 0x80) return number
    }
  }
}

async function skipPadding(queue: ByteQueue): Promise<void> {
  for (;;) {
    const next = (await queue.peek(4)).subarray(0, 4)
    if (next.length === 0 || next.some((byte) => byte !== 0)) return
    if (next.length < 4) throw new CodecError('it ends with a broken padding')
    queue.skip(4)
  }
}

interface Check {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

/** `undefined` for no check, and for types that are not in use. */
function digestOf(check: number): Check | undefined {
  if (check === 1) return new Crc32()
  if (check === 4) return new Crc64()
  return check === 10 ? new Sha256() : undefined
}

class Crc32 implements Check {
  #sum = 0

  update(bytes: Uint8Array): void {
    this.#sum = crc32(bytes, this.#sum)
  }

  digest(): Uint8Array {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(this.#sum)
    return bytes
  }
}

class Sha256 implements Check {
  readonly #digester = new Digester()

  update(bytes: Uint8Array): void {
    this.#digester.update(bytes)
  }

  digest(): Buffer {
    return Buffer.from(hexOf(this.#digester.digest()), 'hex')
  }
}
