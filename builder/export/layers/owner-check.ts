import { ownersObstacle } from '#builder/layer'
import type { Store } from '#cache'
import {
  compressionOf,
  formatOwnedFiles,
  joinOwnedFiles,
  type OwnedFiles,
  TsbuildError,
} from '#core'
import type { ImageLayer } from './image-layer.ts'

/** The layers of an image. */
interface Layered {
  readonly layers: readonly ImageLayer[]
}

/**
 * The files of an image whose owners are presumed, in layers that were made here. A packed layer leaves
 * as it came from elsewhere.
 * @returns `undefined` when there are none
 */
export function presumedOwners({ layers }: Layered, store: Store): OwnedFiles | undefined {
  const found = layers.flatMap((layer) => {
    return isFromElsewhere(layer) ? [] : (store.layers.presumed(layer.diffId) ?? [])
  })
  return found.length === 0 ? undefined : joinOwnedFiles(found)
}

function isFromElsewhere({ blob }: ImageLayer): boolean {
  return blob !== undefined && compressionOf(blob.descriptor.mediaType) !== 'none'
}

/** The files whose owners are presumed, as a warning or an error says it. */
export function describePresumed(files: OwnedFiles): string {
  return `steps that could not give files owners changed files of others, who may be wrong now: ${formatOwnedFiles(files)}`
}

/** @throws {TsbuildError} PERMISSION_DENIED for an image with owners that are presumed */
export function checkOwners(images: readonly Layered[], store: Store): void {
  const found = images.flatMap((image) => presumedOwners(image, store) ?? [])
  if (found.length === 0) return
  throw new TsbuildError(`push: ${describePresumed(joinOwnedFiles(found))}`, {
    code: 'PERMISSION_DENIED',
    hint: `${ownersObstacle().remedy}, and build again; or push it all the same with --ignore-chown-errors`,
  })
}
