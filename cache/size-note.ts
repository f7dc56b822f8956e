import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { errnoOf } from '#core'
import { type Layout, layoutOf } from './filesystem/layout.ts'

/** Bytes; each may be absent. */
export interface SpaceLimits {
  /** So much may stay in any case. */
  readonly reserved?: number | undefined
  /** Of the whole store. */
  readonly maxUsed?: number | undefined
  /** Of the file system. */
  readonly minFree?: number | undefined
}

/** Bytes that a store may keep, as BuildKit counts: less than it may use where the disk is full. */
export function bytesToKeep(used: number, limits: SpaceLimits, free: number): number {
  const { reserved = 0, maxUsed, minFree } = limits
  // Free space alone asks for nothing where there is enough of it.
  const most = maxUsed ?? (minFree === undefined ? 0 : used)
  const missing = Math.max(0, (minFree ?? 0) - free)
  return Math.max(reserved, missing > 0 ? Math.min(most, used - missing) : most)
}

/** Milliseconds after which a store is looked at anyway. */
const LONGEST = 60 * 60 * 1000
/** A store that takes more than this part of what it may is looked at after every build that adds to it. */
const FAR = 0.8
/** Of small files a folder takes more than the tar that its size was taken from. */
const FOLDER_FACTOR = 2

/** What a store took at a time, in a small file: a build that stays far below its limits looks at nothing else. */
interface SizeNote {
  readonly used: number
  /** What builds have added since then, by the lengths of files. */
  readonly added: number
  /** On the file system, then. */
  readonly free: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Bytes that this user may still write to the disk. */
export function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path)
  return bavail * bsize
}

/** Writes down what a store takes now. */
export function noteSize(layout: Layout, used: number): void {
  writeNote(layout, { used, added: 0, free: freeBytes(layout.root), at: Date.now() })
}

/**
 * Adds what a build has stored to what is known of the size of a store. True where that is far from its limits, also
 * if it has grown by all that is free no more on its disk. A few system calls.
 */
export function isSurelyWithin(root: string, limits: SpaceLimits, added: number): boolean {
  const layout = layoutOf(root)
  const note = readNote(layout)
  if (note === undefined || Math.abs(Date.now() - note.at) > LONGEST) return false
  const free = freeBytes(layout.root)
  const known = { ...note, added: note.added + added }
  // Other programs may have made room on the disk, and may have filled it.
  const grown = Math.max(note.free - free, FOLDER_FACTOR * known.added)
  if (note.used + grown > FAR * bytesToKeep(note.used + grown, limits, free)) return false
  writeNote(layout, known)
  return true
}

/** One that cannot be written is none: the store is looked at. */
function writeNote({ size }: Layout, note: SizeNote): void {
  try {
    writeFileSync(size, `${JSON.stringify(note)}\n`, { mode: 0o600 })
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    rmSync(size, { force: true })
  }
}

/** `undefined` for one that is torn, too. */
function readNote({ size }: Layout): SizeNote | undefined {
  try {
    const { used, added, free, at } = JSON.parse(readFileSync(size, 'utf8')) as Partial<SizeNote>
    if (![used, added, free, at].every(Number.isFinite)) return undefined
    return { used: Number(used), added: Number(added), free: Number(free), at: Number(at) }
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && errnoOf(cause) === undefined) throw cause
    return undefined
  }
}
