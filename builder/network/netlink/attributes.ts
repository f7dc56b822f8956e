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

/** How many bytes attributes take, each from a multiple of 4. */
export function sizeOfAttributes(attributes: readonly Attribute[]): number {
  return attributes.reduce((sum, [, value]) => sum + aligned(HEADER + sizeOfValue(value)), 0)
}

function sizeOfValue(value: Attribute[1]): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 1
  return value instanceof Uint8Array ? value.length : sizeOfAttributes(value)
}

/** Writes attributes to where there are zeros. */
export function writeAttributes(
  bytes: Buffer,
  start: number,
  attributes: readonly Attribute[],
): void {
  let offset = start
  for (const [type, value] of attributes) {
    const length = HEADER + sizeOfValue(value)
    const isNested = typeof value !== 'string' && !(value instanceof Uint8Array)
    bytes.writeUInt16LE(length, offset)
    bytes.writeUInt16LE(isNested ? type | NESTED : type, offset + 2)
    if (isNested) writeAttributes(bytes, offset + HEADER, value)
    else if (typeof value === 'string') bytes.write(value, offset + HEADER)
    else bytes.set(value, offset + HEADER)
    offset += aligned(length)
  }
}

/** The bytes of attributes. */
export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  const bytes = Buffer.alloc(sizeOfAttributes(attributes))
  writeAttributes(bytes, 0, attributes)
  return bytes
}

/** Reads attributes up to the end of `bytes`. */
export function decodeAttributes(bytes: Buffer): Attributes {
  const attributes = new Map<number, Buffer>()
  for (const [type, value] of attributeList(bytes)) attributes.set(type, value)
  return attributes
}

/**
 * The same for lists, in which types come more than once. What is cut off is left out.
 * @internal
 */
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
