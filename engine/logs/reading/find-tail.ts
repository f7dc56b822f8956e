import { closeSync, fstatSync } from 'node:fs'
import type { LogFiles } from '../files/log-files.ts'
import type { EntryFormat } from '../format/entry-format.ts'
import { endsLine, NEWLINE } from '../format/log-line.ts'
import { BLOCK_BYTES, readBlock, unpackedBlocks } from './blocks.ts'
import { EntryAssembler } from './entries.ts'

/** A place in a log. */
export interface LogPosition {
  readonly generation: number
  /** Bytes. */
  readonly offset: number
  /** Lines after that place that are passed over: there is no other way in a compressed file. */
  readonly skippedLines: number
}

/** The place from which `count` lines follow, or the beginning. Files are read from their ends. */
export async function findTail(
  count: number,
  { files, format }: { readonly files: LogFiles; readonly format: EntryFormat },
): Promise<LogPosition> {
  const search: Search = { format, wanted: count, isLast: true }
  for (let generation = files.latest; generation >= files.oldest; generation--) {
    const file = files.open(generation)
    if (file === undefined) continue
    try {
      const found = file.isCompressed
        ? await findInCompressed(file.descriptor, search)
        : await findInPlain(file.descriptor, search)
      if (found !== undefined) return { generation, ...found }
    } finally {
      closeSync(file.descriptor)
    }
  }
  return { generation: files.oldest, offset: 0, skippedLines: 0 }
}

/** What is still to be found. */
interface Search {
  readonly format: EntryFormat
  /** Lines whose ends were not met yet. */
  wanted: number
  /** Nothing was met yet: the last entry ends a line even if that goes on later. */
  isLast: boolean
}

type Found = Omit<LogPosition, 'generation'> | undefined

async function findInPlain(descriptor: number, search: Search): Promise<Found> {
  const { size } = fstatSync(descriptor)
  for await (const { entry, end } of entriesFromEnd(descriptor, size)) {
    const decoded = search.format.decode(entry)
    if (decoded === undefined) continue
    if (!search.isLast && !endsLine(decoded.data)) continue
    search.isLast = false
    if (search.wanted === 0) return { offset: end, skippedLines: 0 }
    search.wanted--
  }
  return undefined
}

async function findInCompressed(descriptor: number, search: Search): Promise<Found> {
  const entries = new EntryAssembler()
  let lines = 0
  for await (const block of unpackedBlocks(descriptor, 0)) {
    for (const entry of entries.push(block)) {
      const decoded = search.format.decode(entry)
      if (decoded !== undefined && endsLine(decoded.data)) lines++
    }
  }
  if (lines < search.wanted) {
    search.wanted -= lines
    return undefined
  }
  return { offset: 0, skippedLines: lines - search.wanted }
}

/** An entry without its newline, and the offset after that. */
interface PlacedEntry {
  readonly entry: Buffer
  readonly end: number
}

/** Entries of a file from the last to the first. What is after the last newline is none. */
async function* entriesFromEnd(descriptor: number, size: number): AsyncGenerator<PlacedEntry> {
  // Up to the newline of an entry whose beginning is not read yet.
  let held: Buffer = Buffer.alloc(0)
  for (let start = size; start > 0; ) {
    const length = Math.min(BLOCK_BYTES, start)
    start -= length
    const bytes = Buffer.concat([await readBlock(descriptor, start, length), held])
    let end = bytes.lastIndexOf(NEWLINE)
    while (end >= 0) {
      const before = end === 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 1)
      if (before < 0 && start > 0) break
      yield { entry: bytes.subarray(before + 1, end), end: start + end + 1 }
      end = before
    }
    held = bytes.subarray(0, end + 1)
  }
}
