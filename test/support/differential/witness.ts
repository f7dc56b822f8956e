import { findPeers } from '../peers/index.ts'
import type { Outcome } from './outcome.ts'
import type { DifferentialCase } from './tables.ts'

/**
 * Which BuildKit the cases are compared with: the one of Debian's docker.io, of 2020, or the newest
 * one, which is there when today's peers are.
 */
export type WitnessName = 'docker.io' | 'newest'

/** A BuildKit that builds the cases as well. */
export interface Witness extends AsyncDisposable {
  readonly name: WitnessName
  /**
   * Builds a case.
   * @param folder holds the context, with a `Dockerfile`
   * @param tag a name under which later cases find the image
   */
  build(one: DifferentialCase, folder: string, tag: string | undefined): Promise<Outcome>
}

/** The newest witness of this machine. */
export function bestWitness(): WitnessName {
  return findPeers() === undefined ? 'docker.io' : 'newest'
}
