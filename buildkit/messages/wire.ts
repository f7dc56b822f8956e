/**
 * Messages of protocol buffers as objects: a message is an interface, and beside it the numbers and types of its
 * fields, which the compiler checks against it. protobufjs reads and writes the bytes.
 * Spec: https://protobuf.dev/programming-guides/encoding/
 */
import { Buffer } from 'node:buffer'
import protobuf from 'protobufjs/minimal.js'
import { bytesOfName, type Name, nameFromBytes, TsbuildError } from '#core'

type Reader = protobuf.Reader
type Writer = protobuf.Writer

/** Kinds of values on the wire. */
const VARINT = 0
const LENGTH = 2

/** Messages in messages, at most. */
const MOST_LEVELS = 64

/** What can be given to be written: what is left out is as if it were its default. */
export type Draft<T> = T extends Uint8Array
  ? Uint8Array
  : T extends string | number | bigint | boolean | undefined
    ? T
    : T extends readonly (infer E)[]
      ? readonly Draft<E>[]
      : T extends ReadonlyMap<string, infer V>
        ? ReadonlyMap<string, Draft<V>>
        : { readonly [K in keyof T]?: Draft<T[K]> | undefined }

/** One kind of message. What is read has all fields: absent ones are `undefined` where they are messages, else empty. */
export interface Message<T> {
  readonly encode: (value: Draft<T>) => Buffer
  /** @throws {TsbuildError} USAGE when the bytes are no such message */
  readonly decode: (bytes: Uint8Array) => T
  /** @internal */
  readonly codec: Codec<T>
}

/** How the value of a field is read and written. */
interface Codec<T> {
  readonly wireType: number
  readonly read: (reader: Reader, levels: number) => T
  readonly write: (writer: Writer, value: Draft<T>) => void
  readonly isDefault: (value: Draft<T>) => boolean
}

/** One field: its number, and how it is put together of what the wire has for it. */
export interface Field<T> {
  readonly id: number
  readonly empty: () => T
  /** @returns the value with what was read, which `before` is changed to */
  readonly read: (reader: Reader, wireType: number, context: ReadContext<T>) => T
  readonly write: (writer: Writer, value: Draft<T>) => void
}

interface ReadContext<T> {
  readonly before: T
  readonly levels: number
}

/** The fields of a message, by their names. */
type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> }

/** @param fields those of `T`; others that a message has are passed over */
export function message<T extends object>(fields: Fields<T>): Message<T> {
  const named = Object.entries(fields) as [string, Field<unknown>][]
  const byId = new Map(named.map(([name, field]) => [field.id, { name, field }]))
  const read = (reader: Reader, levels: number): T => {
    if (levels > MOST_LEVELS) throw new Error('too many messages in messages')
    const value: Record<string, unknown> = {}
    for (const [name, field] of named) value[name] = field.empty()
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      const known = byId.get(tag >>> 3)
      if (known === undefined) {
        reader.skipType(tag & 7)
        continue
      }
      const { name, field } = known
      value[name] = field.read(reader, tag & 7, { before: value[name], levels })
    }
    return value as T
  }
  const write = (writer: Writer, value: Draft<T>): void => {
    for (const [name, field] of named) {
      const given = (value as Readonly<Record<string, unknown>>)[name]
      if (given !== undefined) field.write(writer, given as never)
    }
  }
  return {
    codec: {
      wireType: LENGTH,
      read: (reader, levels) => read(part(reader), levels + 1),
      write: (writer, value) => {
        write(writer.fork(), value)
        writer.ldelim()
      },
      isDefault: (value) => value === undefined,
    },
    encode: (value) => {
      const writer = protobuf.Writer.create()
      write(writer, value)
      return Buffer.from(writer.finish())
    },
    decode: (bytes) => {
      try {
        return read(protobuf.Reader.create(bytes), 0)
      } catch (cause) {
        throw new TsbuildError('a message is not of protocol buffers', { code: 'USAGE', cause })
      }
    },
  }
}

/** The next part of a reader, which has its length before it. */
function part(reader: Reader): Reader {
  return protobuf.Reader.create(reader.bytes())
}

const STRING: Codec<string> = {
  wireType: LENGTH,
  read: (reader) => reader.string(),
  write: (writer, value) => writer.string(value),
  isDefault: (value) => value === '',
}

const BYTES: Codec<Buffer> = {
  wireType: LENGTH,
  read: (reader) => viewOf(reader.bytes()),
  write: (writer, value) => writer.bytes(value as Buffer),
  isDefault: (value) => value.length === 0,
}

/** Go does not check that a text of files is UTF-8. */
const NAME: Codec<Name> = {
  wireType: LENGTH,
  read: (reader) => nameFromBytes(viewOf(reader.bytes())),
  write: (writer, value) => writer.bytes(bytesOfName(value)),
  isDefault: (value) => value === '',
}

const BOOLEAN: Codec<boolean> = {
  wireType: VARINT,
  read: (reader) => reader.bool(),
  write: (writer, value) => writer.bool(value),
  isDefault: (value) => !value,
}

/** int32, int64 and enumerations. */
const INTEGER: Codec<number> = {
  wireType: VARINT,
  read: readNumber,
  write: (writer, value) => writer.int64(value),
  isDefault: (value) => value === 0,
}

/** int64 where a number is not exact. */
const WIDE: Codec<bigint> = {
  wireType: VARINT,
  read: readWide,
  write: writeWide,
  isDefault: (value) => value === 0n,
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}

/** Most have one byte. */
function readNumber(reader: Reader): number {
  const byte = reader.pos < reader.len ? reader.buf[reader.pos] : undefined
  if (byte === undefined || byte >= 0x80) return Number(readWide(reader))
  reader.pos++
  return byte
}

/** The library reads a number, which is not exact. */
function readWide(reader: Reader): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.buf[reader.pos++]
    if (byte === undefined || reader.pos > reader.len) break
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return BigInt.asIntN(64, value)
  }
  throw new Error('a number has no end')
}

function writeWide(writer: Writer, value: bigint): void {
  const low = Number(BigInt.asIntN(32, value))
  const high = Number(BigInt.asIntN(32, value >> 32n))
  writer.int64({ low, high, unsigned: false } as protobuf.Long)
}

/** A field of which the last value counts. */
function single<T>(id: number, codec: Codec<T>, empty: T): Field<T> {
  return {
    id,
    empty: () => empty,
    read: (reader, wireType, { levels }) => {
      checkType(wireType, codec)
      return codec.read(reader, levels)
    },
    write: (writer, value) => {
      if (!codec.isDefault(value)) writeValue(writer, id, { codec, value })
    },
  }
}

function checkType(wireType: number, codec: Pick<Codec<unknown>, 'wireType'>): void {
  if (wireType !== codec.wireType) throw new Error(`a field has the wire type ${wireType}`)
}

function writeValue<T>(
  writer: Writer,
  id: number,
  { codec, value }: { readonly codec: Codec<T>; readonly value: Draft<T> },
): void {
  writer.uint32((id << 3) | codec.wireType)
  codec.write(writer, value)
}

export function string(id: number): Field<string> {
  return single(id, STRING, '')
}

/** A text that names files, by its bytes, which may not be UTF-8. */
export function name(id: number): Field<Name> {
  return single(id, NAME, '' as Name)
}

export function bytes(id: number): Field<Buffer> {
  return single(id, BYTES, Buffer.alloc(0))
}

export function boolean(id: number): Field<boolean> {
  return single(id, BOOLEAN, false)
}

/** int32, uint32, int64 or an enumeration; what is larger than 2^53 loses its last digits. */
export function integer(id: number): Field<number> {
  return single(id, INTEGER, 0)
}

/** int64 or uint64. */
export function wide(id: number): Field<bigint> {
  return single(id, WIDE, 0n)
}

/** Another message. @param kind a function where messages are in each other */
export function nested<T>(id: number, kind: Message<T> | (() => Message<T>)): Field<T | undefined> {
  const codec = (): Codec<T> => (typeof kind === 'function' ? kind() : kind).codec
  return {
    id,
    empty: () => undefined,
    read: (reader, wireType, { levels }) => {
      checkType(wireType, codec())
      return codec().read(reader, levels)
    },
    write: (writer, value) => {
      if (value !== undefined) writeValue(writer, id, { codec: codec(), value: value as Draft<T> })
    },
  }
}

/** Any number of messages. */
export function list<T>(id: number, kind: Message<T> | (() => Message<T>)): Field<readonly T[]> {
  return repeated(id, () => (typeof kind === 'function' ? kind() : kind).codec)
}

export function strings(id: number): Field<readonly string[]> {
  return repeated(id, () => STRING)
}

export function byteList(id: number): Field<readonly Buffer[]> {
  return repeated(id, () => BYTES)
}

function repeated<T>(id: number, codecOf: () => Codec<T>): Field<readonly T[]> {
  return {
    id,
    empty: () => [],
    read: (reader, wireType, { before, levels }) => {
      const codec = codecOf()
      const values = before as T[]
      // Numbers come as one piece, too.
      if (wireType === LENGTH && codec.wireType !== LENGTH) {
        const packed = part(reader)
        while (packed.pos < packed.len) values.push(codec.read(packed, levels))
        return values
      }
      checkType(wireType, codec)
      values.push(codec.read(reader, levels))
      return values
    },
    write: (writer, values) => {
      const codec = codecOf()
      for (const value of values as readonly Draft<T>[]) writeValue(writer, id, { codec, value })
    },
  }
}

/** A map of texts to texts. */
export function stringMap(id: number): Field<ReadonlyMap<string, string>> {
  return mapOf(id, () => STRING, '')
}

/** A map of texts to bytes. */
export function bytesMap(id: number): Field<ReadonlyMap<string, Buffer>> {
  return mapOf(id, () => BYTES, Buffer.alloc(0))
}

/** A map of texts to booleans. */
export function booleanMap(id: number): Field<ReadonlyMap<string, boolean>> {
  return mapOf(id, () => BOOLEAN, false)
}

/** A map of texts to messages. */
export function messageMap<T>(
  id: number,
  kind: Message<T> | (() => Message<T>),
): Field<ReadonlyMap<string, T>> {
  const message = (): Message<T> => (typeof kind === 'function' ? kind() : kind)
  return mapOf(
    id,
    () => message().codec,
    () => message().decode(Buffer.alloc(0)),
  )
}

function mapOf<V>(
  id: number,
  codecOf: () => Codec<V>,
  empty: V | (() => V),
): Field<ReadonlyMap<string, V>> {
  return {
    id,
    empty: () => new Map(),
    read: (reader, wireType, { before, levels }) => {
      checkType(wireType, STRING)
      const entry = part(reader)
      let key = ''
      let value: V | undefined
      while (entry.pos < entry.len) {
        const tag = entry.uint32()
        if (tag >>> 3 === 1) key = entry.string()
        else if (tag >>> 3 === 2) value = codecOf().read(entry, levels)
        else entry.skipType(tag & 7)
      }
      const map = before as Map<string, V>
      map.set(key, value ?? (typeof empty === 'function' ? (empty as () => V)() : empty))
      return map
    },
    write: (writer, values) => {
      const codec = codecOf()
      for (const [key, value] of values as ReadonlyMap<string, Draft<V>>) {
        writer.uint32((id << 3) | LENGTH).fork()
        writeValue(writer, 1, { codec: STRING, value: key })
        writeValue(writer, 2, { codec, value })
        writer.ldelim()
      }
    },
  }
}
