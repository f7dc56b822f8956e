import { readdirSync } from 'node:fs'
import { errnoOf } from '#core'
import { statOf } from '../filesystem/best-effort.ts'

/** Milliseconds of work between turns of the event loop. */
const SLICE_MILLISECONDS = 8
const BLOCK = 512

/** How files are measured. */
export interface MeasureOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * Bytes that a file, or a folder with everything in it, takes on the disk: blocks, not lengths. Of a file with
 * several names each has its part, so that the sum over all of them is right in any order. What cannot be read
 * takes nothing. Stops early when the signal aborts.
 */
export async function diskUse(path: string, { signal }: MeasureOptions = {}): Promise<number> {
  let bytes = 0
  let sliceEnd = performance.now() + SLICE_MILLISECONDS
  for (const part of partsOf(Buffer.from(path))) {
    bytes += part
    if (performance.now() < sliceEnd) continue
    await new Promise((resolve) => setImmediate(resolve))
    if (signal?.aborted === true) break
    sliceEnd = performance.now() + SLICE_MILLISECONDS
  }
  return Math.round(bytes)
}

/** By bytes: names in layers need not be UTF-8. */
function* partsOf(path: Buffer): Generator<number> {
  const pending = [path]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const found = statOf(next)
    if (found === undefined) continue
    yield found.isDirectory() ? found.blocks * BLOCK : (found.blocks * BLOCK) / found.nlink
    if (!found.isDirectory()) continue
    const slash = Buffer.from('/')
    for (const name of namesIn(next)) pending.push(Buffer.concat([next, slash, name]))
  }
}

function namesIn(folder: Buffer): readonly Buffer[] {
  try {
    return readdirSync(folder, { encoding: 'buffer' })
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return []
  }
}
