import type { Settings } from '#builder/options'
import { checkPush, type RegistryClient } from '#registry-client'

/**
 * Finds out whether the result may be pushed as soon as it is certain that there is work to do, and beside it. A build
 * that finds all of its results asks nothing: it pushes at once.
 */
export class PushCheck {
  readonly #tags: Settings['tags']
  readonly #client: () => RegistryClient
  readonly #begun = Promise.withResolvers<'check' | 'skip'>()

  constructor({ outputs, tags }: Pick<Settings, 'outputs' | 'tags'>, client: () => RegistryClient) {
    this.#tags = tags
    this.#client = client
    if (outputs.every(({ type }) => type !== 'registry')) this.#begun.resolve('skip')
  }

  /** To be called when there is work to do. */
  begin(): void {
    this.#begun.resolve('check')
  }

  /** The check is not begun any more once `work` has ended. */
  async until<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } finally {
      this.#begun.resolve('skip')
    }
  }

  /** Resolves when nothing is, or was, refused. @throws {RegistryError} */
  async done(signal: AbortSignal): Promise<void> {
    if ((await this.#begun.promise) === 'skip') return
    await checkPush(this.#client(), this.#tags, { signal })
  }
}
