import { findPeers } from '../../peers/index.ts'

/**
 * Which BuildKit the cases are compared with: the one of Debian's docker.io, of 2020, or the newest
 * one, which is there when today's peers are.
 */
export type WitnessName = 'docker.io' | 'newest'

/** The newest witness of this machine. */
export function bestWitness(): WitnessName {
  return findPeers() === undefined ? 'docker.io' : 'newest'
}
