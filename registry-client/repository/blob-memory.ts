import type { Digest } from '#core'
import type { Reference } from '../reference.ts'

/** A repository of a registry, as references name both. */
export type RepositoryName = Pick<Reference, 'registry' | 'repository'>

/**
 * Remembers which repositories have which blobs of layers, so that a push to another repository of the same
 * registry can have them mounted. What it says was true once: a mount that fails is followed by an upload.
 */
export interface BlobMemory {
  /** Repositories of a registry in which a blob was, a few at the most, the one that was seen last first. */
  find(registry: string, digest: Digest): readonly string[]
  /** Remembers that a repository has a blob now. */
  add(repository: RepositoryName, digest: Digest): void
  /** To be called when a repository turns out not to have a blob, or not to give it. */
  forget(repository: RepositoryName, digest: Digest): void
}

/** Remembers nothing. */
export const NO_MEMORY: BlobMemory = {
  find: () => [],
  add: () => undefined,
  forget: () => undefined,
}
