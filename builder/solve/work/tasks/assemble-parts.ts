import { statSync } from 'node:fs'
import { type Assembly, assembleTar, tarEnd, type WrittenLayer } from '#builder/layer'
import { completeParts } from '#cache'
import type { Digest } from '#core'

/** A tar that is kept in parts. */
export interface PartsTask extends Omit<Assembly, 'tar' | 'contents'> {
  /** The blob of the earlier tar. */
  readonly earlier: Digest
}

/**
 * Reads a tar that `assembleTar` would write, and makes its file of parts of that of its pieces.
 * @throws {TsbuildError} as `assembleTar`
 */
export function assembleParts({ earlier, ...assembly }: PartsTask): WrittenLayer {
  const { recipe, pieces } = assembly
  const written = assembleTar({ ...assembly, tar: undefined, contents: undefined })
  const end = tarEnd(statSync(pieces).size)
  completeParts(pieces, { earlier, parts: [...recipe.parts, { from: 'pieces', ...end }] })
  return written
}
