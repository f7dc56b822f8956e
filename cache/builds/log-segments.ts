/**
 * The output of a step is in segments: files named by the offset of their first byte. The first one is the head,
 * the others are the tail; what lies between them was left out.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errnoOf } from '#core'
import { namesIn } from '../filesystem/best-effort.ts'

/** A piece of a step's output. */
export type LogPiece =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** So many bytes are not kept. */
  | { readonly kind: 'gap'; readonly bytes: number }

const SEGMENT = /^(.+)\.log\.(\d+)$/
const CHUNK = 64 * 1024

/** The file that begins at `offset`. @param path how the paths of the segments begin */
export function segmentPath(path: string, offset: number): string {
  return `${path}.log.${offset}`
}

/** What is kept of a step's output; nothing of one that printed nothing. */
export function* readLog(path: string): Generator<LogPiece, void> {
  let position = 0
  for (const offset of offsetsOf(path)) {
    const segment = openIfThere(segmentPath(path, offset))
    // The step runs, and has begun another segment.
    if (segment === undefined) continue
    try {
      if (offset > position) yield { kind: 'gap', bytes: offset - position }
      position = Math.max(position, offset)
      for (const bytes of chunksOf(segment)) {
        position += bytes.length
        yield { kind: 'bytes', bytes }
      }
    } finally {
      closeSync(segment)
    }
  }
}

function offsetsOf(path: string): readonly number[] {
  const step = basename(path)
  return namesIn(dirname(path))
    .flatMap((name) => {
      const [, owner, offset] = SEGMENT.exec(name) ?? []
      return owner === step ? [Number(offset)] : []
    })
    .toSorted((a, b) => a - b)
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}

function* chunksOf(file: number): Generator<Uint8Array, void> {
  for (;;) {
    const chunk = Buffer.alloc(CHUNK)
    const length = readSync(file, chunk, 0, CHUNK, null)
    if (length === 0) return
    yield chunk.subarray(0, length)
  }
}
