import { readFileSync, statfsSync, writeFileSync } from 'node:fs'
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

/** Milliseconds after which a store is looked at anyway: others may have made room for what it has grown by. */
const LONGEST = 24 * 60 * 60 * 1000

/** What a store took at a time, in a small file: a build that stays below its limits looks at nothing else. */
interface SizeNote {
  readonly used: number
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

/** Writes down what a store takes now. A note that is torn or cannot be written is none. */
export function noteSize({ root, size }: Layout, used: number): void {
  const note: SizeNote = { used, free: freeBytes(root), at: Date.now() }
  try {
    writeFileSync(size, `${JSON.stringify(note)}\n`, { mode: 0o600 })
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
  }
}

/**
 * True where a store is within its limits, though it has grown by all that is free no more on its disk since it was
 * looked at last. Two system calls.
 */
export function isSurelyWithin(root: string, limits: SpaceLimits): boolean {
  const layout = layoutOf(root)
  const note = readNote(layout)
  if (note === undefined || Math.abs(Date.now() - note.at) > LONGEST) return false
  const free = freeBytes(layout.root)
  const used = note.used + Math.max(0, note.free - free)
  return used <= bytesToKeep(used, limits, free)
}

function readNote({ size }: Layout): SizeNote | undefined {
  try {
    const { used, free, at } = JSON.parse(readFileSync(size, 'utf8')) as Partial<SizeNote>
    if (![used, free, at].every(Number.isFinite)) return undefined
    return { used: Number(used), free: Number(free), at: Number(at) }
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && errnoOf(cause) === undefined) throw cause
    return undefined
  }
}
