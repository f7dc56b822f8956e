import type { Vertex } from '#builder/plan'
import { TsbuildError } from '#core'
import { checkedLowers } from '../layers/layer-check.ts'
import { lowersOf, type StackDeps } from '../layers/stack.ts'
import type { Reporter } from '../report/reporter.ts'
import type { SelectedLayers } from './file-selection.ts'

/** A vertex that reads files of others. */
export interface Reading extends Pick<SelectedLayers, 'sources'>, StackDeps {
  readonly vertex: Vertex
  readonly reporter: Reporter
}

/**
 * Does work that reads files of other vertices. Where the disk has damaged one, all of their layers are digested; what
 * is damaged is made anew, if there is something to make it of, and the work is done once more.
 * @throws {TsbuildError} DIGEST_MISMATCH when a layer cannot be repaired: it was removed
 */
export async function withSoundSources<T>(
  work: () => Promise<T>,
  { vertex, sources, reporter, ...deps }: Reading,
): Promise<T> {
  // What they fail to be fetched with is no damage of a folder.
  for (const layers of sources) await lowersOf(layers, deps)
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'DIGEST_MISMATCH') throw cause
    for (const layers of sources) await checkedLowers(layers)
    reporter.warnOnce(
      'damage',
      vertex,
      `${cause.message}; it was made anew: have a look at the disk`,
    )
    return await work()
  }
}
