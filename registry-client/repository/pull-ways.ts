import { isCancelled, TsbuildError } from '#core'
import { RegistryError } from '../errors.ts'
import type { Mirror } from '../mirrors/mirror.ts'
import type { RepositoryRef } from './repository-ref.ts'

/** A repository that is asked before another one. */
export interface MirrorRef {
  readonly ref: RepositoryRef
  readonly accepts: Mirror['accepts']
}

/** The repositories that have what one has, and which of them answer. */
export class PullWays {
  readonly #own: RepositoryRef
  readonly #find: () => Promise<readonly MirrorRef[]>
  readonly #onWarning: (message: string) => void
  readonly #failed = new Set<MirrorRef>()
  #mirrors: Promise<readonly MirrorRef[]> | undefined

  /** @param find called once, by the first pull; throws where nothing may be pulled */
  constructor(
    own: RepositoryRef,
    find: () => Promise<readonly MirrorRef[]>,
    onWarning: (message: string) => void,
  ) {
    this.#own = own
    this.#find = find
    this.#onWarning = onWarning
  }

  /**
   * Asks mirrors, then the registry itself, until one has an answer. A mirror that fails is not asked again; one that
   * does not have what is wanted is.
   */
  async ask<T>(
    wanted: 'digests' | 'tags',
    request: (ref: RepositoryRef) => Promise<T>,
  ): Promise<T> {
    this.#mirrors ??= this.#find()
    for (const mirror of await this.#mirrors) {
      const isAsked = mirror.accepts === 'all' || mirror.accepts === wanted
      if (!isAsked || this.#failed.has(mirror)) continue
      try {
        return await request(mirror.ref)
      } catch (error) {
        if (!(error instanceof TsbuildError) || isCancelled(error)) throw error
        this.#note(mirror, error)
      }
    }
    return await request(this.#own)
  }

  #note(mirror: MirrorRef, error: TsbuildError): void {
    if (error instanceof RegistryError && error.code === 'NOT_FOUND') return
    if (this.#failed.has(mirror)) return
    this.#failed.add(mirror)
    const { registry } = this.#own.endpoint
    this.#onWarning(
      `mirror ${mirror.ref.endpoint.registry} of ${registry} is left out: ${error.message}`,
    )
  }
}
