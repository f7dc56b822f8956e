/**
 * Attributes: what follows the fixed part of a netlink message. Each has a type, whose meaning depends on
 * where it is, and a value: bytes, or attributes again.
 * Spec: the kernel's Documentation/userspace-api/netlink/intro.rst
 */
import { Buffer } from 'node:buffer'

/** An attribute to send. Text gets a NUL at its end. */
export type Attribute = readonly [type: number, value: string | Uint8Array | readonly Attribute[]]

/** Attributes of one level, as received; of those with the same type, the last. */
export type Attributes = ReadonlyMap<number, Buffer>

const HEADER = 4
const NESTED = 0x8000
/** Without the flags for nested attributes and for values in network order. */
const TYPE_MASK = 0x3fff

/** The bytes of attributes, each at a multiple of 4. */
export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(attributes.flatMap(([type, value]) => encodeAttribute(type, value)))
}

function encodeAttribute(type: number, value: Attribute[1]): readonly Buffer[] {
  const isNested = typeof value !== 'string' && !(value instanceof Uint8Array)
  const bytes = isNested ? encodeAttributes(value) : bytesOf(value)
  const header = Buffer.alloc(HEADER)
  header.writeUInt16LE(HEADER + bytes.length, 0)
  header.writeUInt16LE(isNested ? type | NESTED : type, 2)
  return [header, bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]
}

function bytesOf(value: string | Uint8Array): Buffer {
  return typeof value === 'string' ? Buffer.from(`${value}\0`, 'utf8') : Buffer.from(value)
}

/** Reads attributes up to the end of `bytes`. */
export function decodeAttributes(bytes: Buffer): Attributes {
  const attributes = new Map<number, Buffer>()
  for (const [type, value] of attributeList(bytes)) attributes.set(type, value)
  return attributes
}

/** The same for lists, in which types come more than once. What is cut off is left out. */
export function* attributeList(bytes: Buffer): Generator<readonly [number, Buffer], void> {
  for (let offset = 0; offset + HEADER <= bytes.length; ) {
    const length = bytes.readUInt16LE(offset)
    if (length < HEADER || offset + length > bytes.length) return
    const type = bytes.readUInt16LE(offset + 2) & TYPE_MASK
    yield [type, bytes.subarray(offset + HEADER, offset + length)]
    offset += aligned(length)
  }
}

/** Messages and attributes begin at multiples of 4. */
export function aligned(length: number): number {
  return (length + 3) & ~3
}

/** A number of 32 bits as this machine stores it. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

/** A number of 32 bits in network order, as the packet filter has all of its own. */
export function be32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** Text that an attribute holds, up to its NUL. */
export function textOf(value: Buffer | undefined): string {
  if (value === undefined) return ''
  const end = value.indexOf(0)
  return value.toString('utf8', 0, end < 0 ? value.length : end)
}
