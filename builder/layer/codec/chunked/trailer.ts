import { Buffer } from 'node:buffer'
import { CHUNKED_ANNOTATIONS } from '#core'
import type { Packed } from './packed-text.ts'

/** Frames that other readers of zstd skip. Spec: RFC 8878, 3.1.2 */
const SKIPPABLE = 0x184d2a50
const SKIPPABLE_HEADER = 8
/** The only kind of a table of contents that there is. */
const TABLE_TYPE = 1
const FOOTER = 64
const FOOTER_MAGIC = Buffer.from('GNUlInUx')

/** What comes after the tar. */
export interface Trailer {
  readonly pieces: readonly Buffer[]
  /** Of the descriptor of the blob: without them no reader looks for the table. */
  readonly annotations: Readonly<Record<string, string>>
}

/** What is put together to a trailer. */
interface TrailerParts {
  readonly table: Packed
  readonly tarSplit: Packed
}

/**
 * The table of contents, the rest of the tar, and the footer that says where they are.
 * @param offset bytes of the blob before it
 */
export function trailerOf(offset: number, { table, tarSplit }: TrailerParts): Trailer {
  const tableAt = offset + SKIPPABLE_HEADER
  const tarSplitAt = tableAt + table.size + SKIPPABLE_HEADER
  const pieces = [
    ...[skippable(table.size), ...table.pieces],
    ...[skippable(tarSplit.size), ...tarSplit.pieces],
    ...[
      skippable(FOOTER),
      footer([...placeOf(tableAt, table), TABLE_TYPE, ...placeOf(tarSplitAt, tarSplit)]),
    ],
  ]
  const annotations = {
    [CHUNKED_ANNOTATIONS.checksum]: table.digest,
    [CHUNKED_ANNOTATIONS.position]: [...placeOf(tableAt, table), TABLE_TYPE].join(':'),
    [CHUNKED_ANNOTATIONS.tarSplit]: placeOf(tarSplitAt, tarSplit).join(':'),
  }
  return { pieces, annotations }
}

function placeOf(offset: number, { size, unpacked }: Packed): readonly number[] {
  return [offset, size, unpacked]
}

function skippable(size: number): Buffer {
  const header = Buffer.alloc(SKIPPABLE_HEADER)
  header.writeUInt32LE(SKIPPABLE, 0)
  header.writeUInt32LE(size, 4)
  return header
}

function footer(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(FOOTER)
  for (const [index, number] of numbers.entries()) bytes.writeBigUInt64LE(BigInt(number), index * 8)
  FOOTER_MAGIC.copy(bytes, FOOTER - FOOTER_MAGIC.length)
  return bytes
}
