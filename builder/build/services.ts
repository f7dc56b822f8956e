import { Fetcher, type RemoteFetcher, recordingFetcher } from '#builder/fetch'
import { fileRights } from '#builder/linux'
import type { Settings } from '#builder/options'
import type { Sandbox, WantedRuntime } from '#builder/sandbox'
import type { Snapshots } from '#builder/snapshot'
import {
  Gate,
  type InPlaceThread,
  inPlaceThread,
  type LayerForm,
  LayerWatch,
  type StepSecrets,
  type WorkPool,
  workPool,
} from '#builder/solve'
import type { Store, TemporaryDirectory } from '#cache'
import type { Isolation, Material } from '#core'
import { createRegistryClient, type RegistryClient } from '#registry-client'
import { areStepsInPlace } from './container-root.ts'
import { keptPaths, watchedFolders } from './kept-paths.ts'
import { snapshotterMemory } from './snapshotter-memory.ts'

/** What services are made of. */
interface ServicesDeps {
  readonly store: Store
  readonly secrets: StepSecrets
  /** The folder of the build context. */
  readonly context: string
}

/** What a build opens at most once, and only when it is needed. */
export class Services implements AsyncDisposable {
  readonly pool: WorkPool
  readonly watch: LayerWatch
  readonly secrets: StepSecrets
  /** What the fetcher has fetched, or found to be unchanged. */
  readonly fetched: Material[] = []
  readonly #settings: Settings
  readonly #store: Store
  readonly #context: string
  #inPlaceThread: InPlaceThread | undefined
  #kept: readonly string[] | undefined
  #client: RegistryClient | undefined
  #fetcher: Fetcher | undefined
  #recording: RemoteFetcher | undefined
  #isolation: Promise<Isolation> | undefined
  #lowerForm: Promise<LayerForm> | undefined
  #sandbox: Promise<Sandbox> | undefined
  #snapshots: Promise<Snapshots> | undefined
  #closing: Promise<void> | undefined
  /** Of the sandbox and of snapshots. */
  readonly #scratch: TemporaryDirectory[] = []

  constructor(settings: Settings, deps: ServicesDeps) {
    this.#settings = settings
    this.#store = deps.store
    this.#context = deps.context
    this.secrets = deps.secrets
    const gate = new Gate()
    this.pool = workPool(settings.threads, gate)
    this.watch = new LayerWatch({ store: deps.store, pool: this.pool, gate })
  }

  client(): RegistryClient {
    const {
      credentials,
      environment,
      insecureRegistries,
      onEvent,
      registryAuthorities,
      registryMirrors,
    } = this.#settings
    this.#client ??= createRegistryClient({
      credentials,
      environment,
      authorities: registryAuthorities,
      mirrors: registryMirrors,
      insecure: insecureRegistries,
      onWarning: (message) => onEvent({ type: 'warning', message }),
      memory: this.#store.repositories,
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
    const { openSandbox } = await import('#builder/sandbox')
    const { isolation, onEvent } = this.#settings
    return await openSandbox(await this.#chooseIsolation(), {
      namespaces: () => ({
        temporary: this.#scratchDirectory(),
        shown: { store: this.#store.root, folders: this.#store.shownFolders },
        isStrict: isolation === 'strict',
      }),
      runtime: this.#wantedRuntime(),
      inPlace: () => ({ kept: this.#keptPaths(), thread: this.#threadInPlace() }),
      onNotice: ({ message, hint }) =>
        onEvent({ type: 'warning', message: `${message} (${hint})` }),
    })
  }

  #wantedRuntime(): WantedRuntime | undefined {
    const { runtime: name, environment, onEvent } = this.#settings
    if (name === undefined) return undefined
    const onFound: WantedRuntime['onFound'] = ({ kind, version, path }) =>
      onEvent({ type: 'choice', subject: 'runtime', value: `${kind} ${version}, ${path}` })
    return { name, environment, onFound }
  }

  snapshots(): Promise<Snapshots> {
    this.#snapshots ??= this.#openSnapshots()
    return this.#snapshots
  }

  /**
   * In which form layers are parts of stacks. Steps in place see files of their own in any case, so what
   * is below them need not be files; but owners that files cannot have are kept beside directories.
   */
  lowerForm(): Promise<LayerForm> {
    this.#lowerForm ??= areStepsInPlace(this.#settings).then((inPlace) =>
      inPlace && fileRights().givesOwners ? 'tar' : 'directory',
    )
    return this.#lowerForm
  }

  #chooseIsolation(): Promise<Isolation> {
    const { isolation, environment, onEvent } = this.#settings
    this.#isolation ??= import('#builder/sandbox').then(({ chooseIsolation }) => {
      const chosen = chooseIsolation(isolation, environment)
      onEvent({ type: 'choice', subject: 'isolation', ...chosen })
      return chosen.value
    })
    return this.#isolation
  }

  #threadInPlace(): InPlaceThread {
    this.#inPlaceThread ??= inPlaceThread({
      temporary: this.#scratchDirectory(),
      kept: this.#keptPaths(),
      watched: watchedFolders(this.#settings, this.#context),
    })
    return this.#inPlaceThread
  }

  #keptPaths(): readonly string[] {
    this.#kept ??= keptPaths(this.#settings, this.#context)
    return this.#kept
  }

  async #openSnapshots(): Promise<Snapshots> {
    const { onEvent, snapshotter, snapshotSize } = this.#settings
    const { pool } = this
    const { inPlaceSnapshots, openSnapshots } = await import('#builder/snapshot')
    if ((await this.#chooseIsolation()) === 'in-place') {
      return inPlaceSnapshots({
        thread: this.#threadInPlace(),
        onNotice: (message) => onEvent({ type: 'warning', message }),
      })
    }
    return openSnapshots({
      choice: snapshotter,
      size: snapshotSize,
      memory: snapshotterMemory(this.#store),
      scratch: () => this.#scratchDirectory(),
      work: {
        copyUpper: (paths, signal) => pool.run('copyUpper', paths, signal),
        adoptFuseUpper: (written, signal) => pool.run('adoptFuseUpper', written, signal),
      },
      onChoice: (value, reason) =>
        onEvent({
          type: 'choice',
          subject: 'snapshotter',
          value,
          ...(reason === undefined ? {} : { reason }),
        }),
      onNotice: (message) => onEvent({ type: 'warning', message }),
    })
  }

  #scratchDirectory(): string {
    const made = this.#store.temporary()
    this.#scratch.push(made)
    return made.path
  }

  /** Ends the threads of steps; call it when no more steps are run. Idempotent. */
  closeSandbox(): Promise<void> {
    this.#closing ??= this.#endSandbox()
    return this.#closing
  }

  async #endSandbox(): Promise<void> {
    const sandbox = await this.#sandbox?.catch(() => undefined)
    await sandbox?.[Symbol.asyncDispose]()
    const snapshots = await this.#snapshots?.catch(() => undefined)
    await snapshots?.[Symbol.asyncDispose]()
    await this.#inPlaceThread?.close()
    await Promise.all(this.#scratch.map((one) => one[Symbol.asyncDispose]()))
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
