import { type BuildOptions, describeImage } from '#builder'
import type { FolderTransfers } from '#buildkit/files'
import { frontendOptions, frontendSources } from '#buildkit/frontend'
import { CallFailure } from '#buildkit/grpc'
import {
  type Draft,
  type GatewaySolveRequest,
  type ResolveImageConfigRequest,
  type ResolveImageConfigResponse,
  type Result,
  type ReturnRequest,
  RPC_STATUS,
  type SolveRequest,
} from '#buildkit/messages'
import {
  type Session,
  SessionContent,
  sessionAgents,
  sessionCredentials,
  sessionSecrets,
} from '#buildkit/session'
import type { StatusFeed } from '#buildkit/status'
import { openStore, type Store, type TemporaryDirectory } from '#cache'
import { Resources, TsbuildError, unsupportedError } from '#core'
import { answerCall } from './answer-call.ts'
import { callFailure } from './call-failure.ts'
import { checkFrontend, definitionError, refusePolicies } from './check-frontend.ts'
import {
  type CacheFolders,
  cacheResponse,
  cachesToRead,
  cachesToWrite,
  type WrittenCaches,
} from './client-caches.ts'
import { type ClientOutputs, clientOutputs } from './client-outputs.ts'
import { exporterResponse } from './results/exporter-response.ts'
import { HeldBuild, type HeldRef } from './results/held-build.ts'
import { refsOf, resultOf } from './results/result-message.ts'
import { ClientFolders } from './sources/client-folders.ts'
import { fetchLayout, sendLayout } from './sources/client-layouts.ts'
import { localSources } from './sources/local-sources.ts'

/** What builds of clients have in common. */
export interface ClientBuildDeps {
  readonly root: string
  readonly network: Pick<
    BuildOptions,
    'insecureRegistries' | 'registryMirrors' | 'registryAuthorities'
  >
  readonly session: (id: string, signal: AbortSignal) => Promise<Session>
  readonly feed: StatusFeed
  readonly transfers: FolderTransfers
  /** A build that has made a result. */
  readonly findHeld: (resultId: string) => HeldBuild | undefined
}

type FrontendRequest = Pick<GatewaySolveRequest, 'Frontend' | 'FrontendOpt' | 'FrontendInputs'> &
  Partial<Pick<GatewaySolveRequest, 'CacheImports' | 'SourcePolicies'>>

/** Rights that clients can ask for, as `BuildOptions` has them. */
const RIGHTS = ['network.host', 'security.insecure'] as const

/**
 * One request to solve: it holds what its frontend makes until the client says which of it is the result, and sends
 * that where it is to go.
 */
export class ClientBuild implements AsyncDisposable {
  readonly #request: SolveRequest
  readonly #deps: ClientBuildDeps
  readonly #cancelling = new AbortController()
  readonly #signal: AbortSignal
  readonly #returned = Promise.withResolvers<Result>()
  readonly #held: HeldBuild[] = []
  readonly #resources = new Resources()
  readonly #store: Store
  readonly #folders: ClientFolders
  readonly #outputs: ClientOutputs
  readonly #scratch: TemporaryDirectory
  #folderCount = 0
  /** Folders of caches that go to the client in the end. */
  readonly #sentCaches: WrittenCaches['sent'][number][] = []
  readonly #cacheFolders: CacheFolders = {
    newFolder: () => `${this.#scratch.path}/${this.#folderCount++}`,
    fetch: async (store, digest) => {
      const folder = this.#cacheFolders.newFolder()
      const content = new SessionContent(await this.#session(), store)
      const isThere = await fetchLayout(content, digest, { folder, signal: this.#signal })
      return isThere ? folder : undefined
    },
  }

  /** @param signal aborted when the client does not wait any longer */
  constructor(request: SolveRequest, deps: ClientBuildDeps, signal: AbortSignal) {
    this.#request = request
    this.#deps = deps
    this.#signal = AbortSignal.any([signal, this.#cancelling.signal])
    this.#returned.promise.catch(() => undefined)
    this.#store = this.#resources.use(openStore(deps.root, {}))
    this.#folders = this.#resources.use(new ClientFolders(this.#store, deps.transfers))
    this.#scratch = this.#resources.use(this.#store.temporary())
    this.#outputs = clientOutputs(exportersOf(request), {
      session: () => this.#session(),
      ...{ scratch: this.#scratch, transfers: deps.transfers, onEvent: deps.feed.onEvent },
    })
  }

  /**
   * @returns what the client is told of its outputs
   * @throws {TsbuildError} as `build`; what the client has returned as its failure
   */
  async run(): Promise<ReadonlyMap<string, string>> {
    return await this.#naming(() => this.#run())
  }

  async #run(): Promise<ReadonlyMap<string, string>> {
    const { Frontend, FrontendAttrs, Definition } = this.#request
    if (Definition !== undefined && Definition.def.length > 0) throw definitionError()
    if (Frontend !== '') {
      const { FrontendInputs } = this.#request
      const solved = await this.solve({ Frontend, FrontendOpt: FrontendAttrs, FrontendInputs })
      return await this.#deliver(solved)
    }
    const result = await this.#untilReturned()
    const refs = refsOf(result)
    if (refs.length === 0) return new Map()
    const build = this.#held.find((held) => held.refs.some(({ id }) => refs.includes(id)))
    if (build === undefined || build.refs.length !== refs.length) {
      throw unsupportedError(
        'a result that is put together of several builds is not understood',
        'return the result of one',
      )
    }
    return await this.#deliver(build)
  }

  /** Solves for the client's own frontend. @throws {TsbuildError} as `build` */
  async solveFor(request: GatewaySolveRequest): Promise<Draft<Result>> {
    return await this.#naming(() => this.#solveFor(request))
  }

  async #solveFor(request: GatewaySolveRequest): Promise<Draft<Result>> {
    const { Definition, FrontendOpt } = request
    if (Definition !== undefined && Definition.def.length > 0) throw definitionError()
    const question = FrontendOpt.get('requestid')
    if (question === undefined) return resultOf(await this.solve(request))
    const options = await this.#optionsOf(request)
    const { feed } = this.#deps
    const asked = { ...options, onEvent: feed.listener(), signal: this.#signal }
    return { metadata: await answerCall(question, asked) }
  }

  /** @throws {TsbuildError} as `build` */
  async solve(request: FrontendRequest): Promise<HeldBuild> {
    refusePolicies(this.#request, request.SourcePolicies)
    const { FrontendOpt, CacheImports = [] } = request
    const options = await this.#optionsOf(request)
    const { newFolder, fetch } = this.#cacheFolders
    const caches = cachesToWrite(this.#request.Cache?.Exports ?? [], { newFolder })
    this.#sentCaches.push(...caches.sent)
    const held = await HeldBuild.start(
      {
        ...options,
        ...this.#outputs.options,
        cacheFrom: await cachesToRead(CacheImports, FrontendOpt, { newFolder, fetch }),
        cacheTo: caches.cacheTo,
        onEvent: this.#deps.feed.listener({ hasPlatforms: isForSeveral(options) }),
      },
      { folder: newFolder(), signal: this.#signal },
    )
    this.#held.push(held)
    return held
  }

  /** What a registry says of an image. @throws {TsbuildError} NOT_FOUND, and as registries answer */
  async resolveConfig({
    Ref,
    Platform,
  }: ResolveImageConfigRequest): Promise<Draft<ResolveImageConfigResponse>> {
    const { OS, Architecture, Variant } = Platform ?? {}
    const parts = [OS, Architecture, Variant].filter((part) => part)
    const { name, index, manifestDescriptor, configBytes } = await describeImage({
      ...this.#deps.network,
      name: Ref,
      platform: parts.length < 2 ? undefined : parts.join('/'),
      credentials: sessionCredentials(await this.#session()),
      signal: this.#signal,
    })
    const { digest } = index ?? manifestDescriptor
    return { Digest: digest, Config: configBytes, Ref: name }
  }

  /** What fails names the vertex that has failed. */
  async #naming<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (cause) {
      throw callFailure(cause, this.#deps.feed.failedVertex)
    }
  }

  /** The client says what the result is, or why there is none. */
  return({ result, error }: ReturnRequest): void {
    if (error !== undefined && error.code !== 0) {
      this.#returned.reject(new CallFailure(error.code, error.message, RPC_STATUS.encode(error)))
      return
    }
    if (result !== undefined) this.#returned.resolve(result)
    else this.#returned.reject(new TsbuildError('the client returned no result', { code: 'USAGE' }))
  }

  /** Its build that has made a result, if one has. */
  heldFor(id: string): HeldBuild | undefined {
    return this.#held.find(({ refs }) => refs.some((one) => one.id === id))
  }

  /** Part of a result. @throws {TsbuildError} NOT_FOUND */
  ref(id: string): HeldRef {
    const found = this.#held.flatMap(({ refs }) => refs).find((one) => one.id === id)
    if (found !== undefined) return found
    throw new TsbuildError(`no such ref: ${id}`, { code: 'NOT_FOUND' })
  }

  /** Ends everything of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelling.abort()
    await Promise.all(this.#held.map((held) => held.cancel()))
    await this.#resources[Symbol.asyncDispose]()
  }

  async #deliver(build: HeldBuild): Promise<ReadonlyMap<string, string>> {
    const delivered = build.deliver()
    await this.#outputs.send(delivered, this.#signal)
    const told = new Map(exporterResponse(await delivered))
    for (const { store, folder } of this.#sentCaches) {
      const content = new SessionContent(await this.#session(), store)
      told.set(...cacheResponse(await sendLayout(content, { folder, signal: this.#signal })))
    }
    return told
  }

  async #untilReturned(): Promise<Result> {
    const stopped = Promise.withResolvers<never>()
    const stop = (): void =>
      stopped.reject(new TsbuildError('build cancelled', { code: 'CANCELLED' }))
    this.#signal.addEventListener('abort', stop, { once: true })
    if (this.#signal.aborted) stop()
    return await Promise.race([this.#returned.promise, stopped.promise])
  }

  /** What is built, with everything that it is built from on this machine. */
  async #optionsOf({
    Frontend,
    FrontendOpt: attributes,
    FrontendInputs: inputs,
  }: FrontendRequest): Promise<BuildOptions> {
    checkFrontend(Frontend, attributes)
    const { root, network, feed } = this.#deps
    const session = (): Promise<Session> => this.#session()
    const options = frontendOptions(attributes)
    const sources = await localSources(frontendSources(attributes), {
      ...{ folders: this.#folders, session, onEvent: feed.onEvent, signal: this.#signal },
      ...{ inputs, resultContext: (id) => this.#resultContext(id) },
      newFolder: this.#cacheFolders.newFolder,
      fetchLayout: this.#cacheFolders.fetch,
    })
    return {
      ...{ root, ...network, ...options, ...sources, allow: this.#rights() },
      credentials: sessionCredentials(await session()),
      findSecret: async (id, signal) => await sessionSecrets(await session())(id, signal),
      findAgent: async (id, signal) => await sessionAgents(await session())(id, signal),
    }
  }

  /** The result of a build of this client, also of another request. */
  async #resultContext(id: string): Promise<string> {
    const held = this.#deps.findHeld(id)
    if (held !== undefined) return await held.asContext()
    throw new TsbuildError(`the result ${id} is gone`, { code: 'NOT_FOUND' })
  }

  #session(): Promise<Session> {
    return this.#deps.session(this.#request.Session, this.#signal)
  }

  #rights(): NonNullable<BuildOptions['allow']> {
    return this.#request.Entitlements.map((name) => {
      const right = RIGHTS.find((one) => one === name)
      if (right !== undefined) return right
      throw unsupportedError(
        `the entitlement ${JSON.stringify(name.slice(0, 100))} cannot be granted`,
        `those that can are ${RIGHTS.join(', ')}`,
      )
    })
  }
}

function isForSeveral({ platform }: BuildOptions): boolean {
  return typeof platform === 'object' && platform.length > 1
}

/** Old clients name one output only. */
function exportersOf({
  Exporters,
  ExporterDeprecated,
  ExporterAttrsDeprecated,
}: SolveRequest): SolveRequest['Exporters'] {
  if (Exporters.length > 0 || ExporterDeprecated === '') return Exporters
  return [{ Type: ExporterDeprecated, Attrs: ExporterAttrsDeprecated }]
}
