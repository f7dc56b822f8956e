import type { Buffer } from 'node:buffer'
import { BLOCK } from '../content/blocks.ts'

const CHECKSUM_AT = 148
const CHECKSUM_SIZE = 8
const SPACE = 0x20
const DIGIT_0 = 0x30

/** The fields of one header block. Names are latin1; the ranges of numbers are not checked. */
export interface TarBlock {
  readonly name: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Seconds. */
  readonly mtime: number
  /** One character; `\0` in tars older than POSIX. */
  readonly flag: string
  readonly linkname: string
  readonly major: number
  readonly minor: number
}

/**
 * Reads a header block as strictly as Go's archive/tar, which reads every image of a registry: a
 * malformed field is refused, not guessed.
 * @throws {Error} with the reason
 */
export function decodeBlock(block: Buffer): TarBlock {
  const given = numberAt(block, CHECKSUM_AT, CHECKSUM_SIZE)
  if (given !== unsignedSum(block) && given !== signedSum(block)) {
    throw new Error('bad checksum of a header')
  }
  const isPosix = hasText(block, 257, 'ustar\0')
  const hasDevices = isPosix || hasText(block, 257, 'ustar  \0')
  const prefix = isPosix ? textAt(block, 345, isStar(block) ? 131 : 155) : ''
  const name = textAt(block, 0, 100)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: numberAt(block, 100, 8),
    uid: numberAt(block, 108, 8),
    gid: numberAt(block, 116, 8),
    size: numberAt(block, 124, 12),
    mtime: numberAt(block, 136, 12),
    flag: String.fromCharCode(block[156] ?? 0),
    linkname: textAt(block, 157, 100),
    major: hasDevices ? numberAt(block, 329, 8) : 0,
    minor: hasDevices ? numberAt(block, 337, 8) : 0,
  }
}

/** True for a block of zeros: two of them end a tar. */
export function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0)
}

/** Schily's star has two times at the end of the prefix field. */
function isStar(block: Buffer): boolean {
  return hasText(block, 508, 'tar\0')
}

function hasText(block: Buffer, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (block[at + i] !== text.charCodeAt(i)) return false
  return true
}

/** Up to the first NUL. */
function textAt(block: Buffer, at: number, size: number): string {
  if (block[at] === 0) return ''
  const nul = block.indexOf(0, at)
  return block.toString('latin1', at, nul < 0 || nul > at + size ? at + size : nul)
}

/**
 * Octal text between spaces and NULs, or GNU's base 256 when the first bit is set.
 * @throws {Error} for anything else
 */
export function numberAt(block: Buffer, at: number, size: number): number {
  if (((block[at] ?? 0) & 0x80) !== 0) return base256(block.subarray(at, at + size))
  const end = at + size
  let next = at
  while (next < end && (block[next] === SPACE || block[next] === 0)) next++
  let value = 0
  for (; next < end; next++) {
    const digit = (block[next] ?? 0) - DIGIT_0
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  while (next < end && block[next] === SPACE) next++
  if (next === end || block[next] === 0) return value
  throw new Error(`bad number ${JSON.stringify(block.toString('latin1', at, end))} in a header`)
}

/** Two's complement over all bits but the marker. */
function base256(bytes: Buffer): number {
  const bits = bytes.length * 8 - 1
  const raw = BigInt(`0x${bytes.toString('hex')}`) & ((1n << BigInt(bits)) - 1n)
  const value = Number(BigInt.asIntN(bits, raw))
  if (Number.isSafeInteger(value)) return value
  throw new Error('number out of range in a header')
}

function unsignedSum(block: Buffer): number {
  let sum = CHECKSUM_SIZE * SPACE
  for (let i = 0; i < BLOCK; i++) sum += block[i] ?? 0
  for (let i = CHECKSUM_AT; i < CHECKSUM_AT + CHECKSUM_SIZE; i++) sum -= block[i] ?? 0
  return sum
}

/** Some old tars added the bytes up as signed numbers. */
function signedSum(block: Buffer): number {
  let sum = unsignedSum(block)
  for (let i = 0; i < BLOCK; i++) {
    const inChecksum = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_SIZE
    if (!inChecksum && (block[i] ?? 0) > 127) sum -= 256
  }
  return sum
}
