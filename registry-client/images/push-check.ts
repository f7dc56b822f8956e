import type { TransferOptions } from '#core'
import type { RepositoryName } from '../repository/blob-memory.ts'
import type { RegistryClient } from '../repository/client.ts'

/**
 * Finds out whether this user may push to repositories, as soon as it is certain that there is work to do for that, and
 * beside it: one request for each, which the first upload makes use of. Work that ends before has nothing to lose.
 */
export class PushCheck {
  readonly #repositories: readonly RepositoryName[]
  readonly #client: () => RegistryClient
  readonly #begun = Promise.withResolvers<'check' | 'skip'>()

  /** @param repositories may be none, and may repeat */
  constructor(repositories: readonly RepositoryName[], client: () => RegistryClient) {
    const names = new Map(repositories.map((one) => [`${one.registry}/${one.repository}`, one]))
    this.#repositories = [...names.values()]
    this.#client = client
    if (repositories.length === 0) this.#begun.resolve('skip')
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

  /**
   * Resolves when it is known that nothing is refused, or will not be asked any more. Only a refusal counts: a registry
   * that cannot be reached now may be back when there is something to push.
   * @throws {RegistryError} REGISTRY_DENIED, NOT_FOUND, REGISTRY_FAILED where it takes no pushes
   */
  async done(options: TransferOptions = {}): Promise<void> {
    if ((await this.#begun.promise) === 'skip') return
    const client = this.#client()
    await Promise.all(this.#repositories.map((one) => client.repository(one).checkPush(options)))
  }
}
