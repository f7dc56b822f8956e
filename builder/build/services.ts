import { Fetcher, type RemoteFetcher, recordingFetcher } from '#builder/fetch'
import type { Settings } from '#builder/options'
import type { Sandbox } from '#builder/sandbox'
import { type StepSecrets, type WorkPool, workPool } from '#builder/solve'
import type { Store, TemporaryDirectory } from '#cache'
import type { Material } from '#core'
import { createRegistryClient, type RegistryClient } from '#registry-client'

/** What a build opens at most once, and only when it is needed. */
export class Services implements AsyncDisposable {
  readonly pool: WorkPool
  readonly secrets: StepSecrets
  /** What the fetcher has fetched, or found to be unchanged. */
  readonly fetched: Material[] = []
  readonly #settings: Settings
  readonly #store: Store
  #client: RegistryClient | undefined
  #fetcher: Fetcher | undefined
  #recording: RemoteFetcher | undefined
  #sandbox: Promise<Sandbox> | undefined
  #closing: Promise<void> | undefined
  #scratch: TemporaryDirectory | undefined

  constructor(settings: Settings, deps: { readonly store: Store; readonly secrets: StepSecrets }) {
    this.#settings = settings
    this.#store = deps.store
    this.secrets = deps.secrets
    this.pool = workPool(Math.max(2, settings.jobs))
  }

  client(): RegistryClient {
    const { credentials, insecureRegistries, onEvent } = this.#settings
    this.#client ??= createRegistryClient({
      credentials,
      insecure: insecureRegistries,
      onWarning: (message) => onEvent({ type: 'warning', message }),
    })
    return this.#client
  }

  fetcher(): RemoteFetcher {
    const { environment } = this.#settings
    const { secret } = this.secrets
    this.#fetcher ??= new Fetcher({ store: this.#store, environment, secret })
    this.#recording ??= recordingFetcher(this.#fetcher, (one) => this.fetched.push(one))
    return this.#recording
  }

  sandbox(): Promise<Sandbox> {
    this.#sandbox ??= this.#openSandbox()
    return this.#sandbox
  }

  async #openSandbox(): Promise<Sandbox> {
    const { inProcessSandbox } = await import('#builder/sandbox')
    this.#scratch = this.#store.temporary()
    const { onEvent } = this.#settings
    return inProcessSandbox({
      temporary: this.#scratch.path,
      onNotice: ({ message, hint }) =>
        onEvent({ type: 'warning', message: `${message} (${hint})` }),
    })
  }

  /** Ends the threads of steps; call it when no more steps are run. Idempotent. */
  closeSandbox(): Promise<void> {
    this.#closing ??= this.#endSandbox()
    return this.#closing
  }

  async #endSandbox(): Promise<void> {
    const sandbox = await this.#sandbox?.catch(() => undefined)
    await sandbox?.[Symbol.asyncDispose]()
    await this.#scratch?.[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([
      this.closeSandbox(),
      this.pool[Symbol.asyncDispose](),
      this.#client?.close(),
      this.#fetcher?.[Symbol.asyncDispose](),
    ])
  }
}
