import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FOLDER_KINDS } from './filesystem/folder-kind.ts'
import { layersFolder, layoutOf } from './filesystem/layout.ts'

/** Bytes that a store takes on the disk. */
export interface StoreUsage {
  /** Names for people, the largest first. */
  readonly parts: readonly (readonly [name: string, bytes: number])[]
  /** Not everything was looked at: it is more. */
  readonly isPartial: boolean
}

/**
 * Adds up what is in a store, for at most so many milliseconds. What cannot be read counts as nothing.
 * Blocks.
 */
export function storeUsage(root: string, limit: { readonly milliseconds: number }): StoreUsage {
  const layout = layoutOf(root)
  const deadline = performance.now() + limit.milliseconds
  const folders = [
    ['layers', FOLDER_KINDS.map((kind) => layersFolder(layout.root, kind))],
    ['blobs', [layout.blobs, layout.parts]],
    ['cache mounts', [layout.mounts]],
    ['damaged files', [layout.corrupt]],
  ] as const
  const parts = folders.map(([name, paths]) => [name, bytesBelow(paths, deadline)] as const)
  return {
    parts: parts.filter(([, bytes]) => bytes > 0).sort(([, a], [, b]) => b - a),
    isPartial: performance.now() >= deadline,
  }
}

function bytesBelow(folders: readonly string[], deadline: number): number {
  let bytes = 0
  const pending = [...folders]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of entriesOf(path)) {
      if (performance.now() >= deadline) return bytes
      const child = join(path, entry.name)
      bytes += blocksOf(child)
      if (entry.isDirectory()) pending.push(child)
    }
  }
  return bytes
}

function entriesOf(path: string): readonly Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch {
    return []
  }
}

/** Files with several names count several times: the estimate is for a person. */
function blocksOf(path: string): number {
  try {
    return lstatSync(path).blocks * 512
  } catch {
    return 0
  }
}
