import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Descriptor,
  errnoOf,
  hexOf,
  ioError,
  isIndexType,
  isManifestType,
  MAX_DOCUMENT_BYTES,
  parseIndex,
  parseManifestOrIndex,
  TsbuildError,
} from '#core'

/** Milliseconds: readers that have begun with an earlier index may still look for its blobs. */
const KEPT_FOR = 3_600_000

/**
 * Removes blobs of a layout that nothing in its `index.json` leads to, and what killed writers have left,
 * unless it is younger than an hour. To be called while no one else writes. Removes nothing where something
 * cannot be read.
 */
export function collectLayout(root: string): void {
  const blobs = join(root, 'blobs/sha256')
  try {
    const reached = reachedFrom(root, parseIndex(readFileSync(join(root, 'index.json'))).manifests)
    for (const name of readdirSync(blobs)) {
      const path = join(blobs, name)
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (reached.has(name) || !found?.isFile()) continue
      if (Date.now() - found.mtimeMs > KEPT_FOR) rmSync(path, { force: true })
    }
  } catch (cause) {
    if (cause instanceof TsbuildError || errnoOf(cause) === 'ENOENT') return
    throw ioError(`collect ${root}`, cause)
  }
}

/** The names of the files of all blobs. */
function reachedFrom(root: string, manifests: readonly Descriptor[]): ReadonlySet<string> {
  const reached = new Set<string>()
  const waiting = [...manifests]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { digest, mediaType, size } = next
    const name = hexOf(digest)
    if (reached.has(name)) continue
    reached.add(name)
    if (!isManifestType(mediaType) && !isIndexType(mediaType)) continue
    if (size > MAX_DOCUMENT_BYTES) continue
    const bytes = readFileSync(join(root, 'blobs/sha256', name))
    const parsed = parseManifestOrIndex(bytes, mediaType)
    if (parsed.kind === 'index') waiting.push(...parsed.index.manifests)
    else waiting.push(parsed.manifest.config, ...parsed.manifest.layers)
  }
  return reached
}
