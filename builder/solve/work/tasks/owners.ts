import type { Owners } from '#builder/layer'
import { hasSingleId } from '#builder/linux'

/** What becomes of owners in layer directories: with one user id, every file belongs to it. */
export function layerOwners(): Owners {
  return hasSingleId() ? 'beside' : 'keep'
}
