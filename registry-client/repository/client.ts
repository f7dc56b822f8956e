import type { TransferOptions } from '#core'
import {
  createTransport,
  DEFAULT_TIMEOUTS,
  type Environment,
  type HostCertificates,
  REAL_TIMING,
  type Timeouts,
  type Timing,
  type Transport,
} from '#http'
import { certificateFolders, certificatesIn, readPem } from '../certificates/certificate-folders.ts'
import type { CredentialStore, Credentials } from '../credentials/credentials.ts'
import { Endpoint, type EndpointContext } from '../endpoint/endpoint.ts'
import { RegistryError } from '../errors.ts'
import type { RegistryMirror } from '../mirrors/mirror.ts'
import { hasMirrorSettings } from '../mirrors/mirror-settings.ts'
import { DEFAULT_REGISTRY } from '../reference.ts'
import { type BlobMemory, NO_MEMORY, type RepositoryName } from './blob-memory.ts'
import { type FoundRepository, type SearchOptions, searchRegistry } from './catalog.ts'
import { type MirrorRef, PullWays } from './pull-ways.ts'
import { Repository } from './repository.ts'

/** Options of a client: credentials, time-outs, insecure registries. */
export interface RegistryClientOptions {
  readonly credentials: CredentialStore
  /** Hosts (`host` or `host:port`) that may use plain http or an unknown certificate. */
  readonly insecure?: readonly string[] | undefined
  readonly userAgent?: string | undefined
  /** Its variables name proxies, authorities and the folders of certificates; none by default. */
  readonly environment?: Environment | undefined
  /** Asked before those that the machine's settings name, which count where `environment` is given. */
  readonly mirrors?: readonly RegistryMirror[] | undefined
  /** Files in PEM: authorities that may sign for every registry. */
  readonly authorities?: readonly string[] | undefined
  /** Called with the warnings of registries, each text once. */
  readonly onWarning?: ((message: string) => void) | undefined
  /** 6 by default. More blobs than that, open at once and unread, wait for each other for ever. */
  readonly maxConnectionsPerHost?: number | undefined
  readonly timeouts?: Partial<Timeouts> | undefined
  readonly timing?: Timing | undefined
  /** Default: nothing is remembered. */
  readonly memory?: BlobMemory | undefined
}

const DEFAULT_CONNECTIONS = 6
const MIRROR_ATTEMPTS = 2

/** Connections, tokens and warnings shared by all repositories of one run. */
export class RegistryClient implements AsyncDisposable {
  readonly #options: RegistryClientOptions
  readonly #credentials: CredentialStore
  readonly #transport: Transport
  readonly #context: EndpointContext
  readonly #memory: BlobMemory
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #repositories = new Map<string, Repository>()

  constructor(options: RegistryClientOptions) {
    this.#options = options
    this.#credentials = options.credentials
    this.#memory = options.memory ?? NO_MEMORY
    this.#transport = createTransport({
      timeouts: { ...DEFAULT_TIMEOUTS, ...options.timeouts },
      maxConnectionsPerHost: options.maxConnectionsPerHost ?? DEFAULT_CONNECTIONS,
      environment: options.environment,
      certificatesOf: certificatesOf(options),
    })
    this.#context = {
      transport: this.#transport,
      timing: options.timing ?? REAL_TIMING,
      userAgent: options.userAgent ?? 'tsbuild',
      insecure: options.insecure ?? [],
      onWarning: options.onWarning ?? (() => {}),
    }
  }

  /** A repository of any registry, the same object for the same one; nothing is sent. */
  repository({ registry, repository: name }: RepositoryName): Repository {
    const key = `${registry}/${name}`
    const known = this.#repositories.get(key)
    if (known !== undefined) return known
    const ref = { endpoint: this.#endpoint(registry), name }
    const find = (): Promise<readonly MirrorRef[]> =>
      this.#mirrorsOf({ registry, repository: name })
    const ways = new PullWays(ref, find, this.#context.onWarning)
    const created = new Repository(ref, this.#memory, ways)
    this.#repositories.set(key, created)
    return created
  }

  /**
   * Checks that `registry` answers and accepts `credentials` (none: anonymously).
   * @throws {RegistryError} REGISTRY_DENIED, REGISTRY_UNREACHABLE, REGISTRY_FAILED
   */
  async ping(
    registry: string,
    credentials: Credentials | undefined,
    options: TransferOptions = {},
  ): Promise<void> {
    const endpoint = new Endpoint(registry, this.#context, async () => credentials)
    await endpoint.call({
      doing: `log in to ${registry}`,
      method: 'GET',
      to: '',
      expect: [200],
      signal: options.signal,
    })
  }

  /**
   * Repositories of a registry whose names have `term` in them.
   * @throws {RegistryError} where the registry cannot be searched
   */
  search(registry: string, options: SearchOptions): Promise<readonly FoundRepository[]> {
    // Docker Hub's index is another host than its registry.
    const host = registry === DEFAULT_REGISTRY ? `index.${DEFAULT_REGISTRY}` : registry
    return searchRegistry(this.#endpoint(host), options)
  }

  /** Ends every connection; requests under way fail. */
  async close(): Promise<void> {
    await Promise.all([...this.#repositories.values()].map((one) => one.close()))
    await this.#transport.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @throws {RegistryError} REGISTRY_DENIED where the machine's settings forbid to pull it */
  async #mirrorsOf(name: RepositoryName): Promise<readonly MirrorRef[]> {
    const { environment, mirrors: given = [] } = this.#options
    const hasSettings = environment !== undefined && hasMirrorSettings(environment)
    if (given.length === 0 && !hasSettings) return []
    const { findRoute } = await import('../mirrors/find-route.ts')
    const { mirrors, blockedBy } = await findRoute(name, given, environment)
    if (blockedBy !== undefined) {
      throw new RegistryError(`${name.registry}/${name.repository} is blocked by ${blockedBy}`, {
        code: 'REGISTRY_DENIED',
        hint: 'take the image from another registry, or ask those who manage this machine',
      })
    }
    return mirrors.map(({ host, repository, isInsecure, accepts }) => {
      const endpoint = this.#endpoint(host, isInsecure ? 'insecure mirror' : 'mirror')
      return { ref: { endpoint, name: repository }, accepts }
    })
  }

  /** A mirror is given up soon, since the registry is asked then. */
  #endpoint(
    registry: string,
    role: 'registry' | 'mirror' | 'insecure mirror' = 'registry',
  ): Endpoint {
    const key = `${role} ${registry}`
    const known = this.#endpoints.get(key)
    if (known !== undefined) return known
    const context = {
      ...this.#context,
      ...(role === 'registry' ? {} : { attempts: MIRROR_ATTEMPTS }),
      ...(role === 'insecure mirror' ? { insecure: [registry] } : {}),
    }
    const created = new Endpoint(registry, context, () => this.#credentials.get(registry))
    this.#endpoints.set(key, created)
    return created
  }
}

function certificatesOf(options: RegistryClientOptions): (host: string) => HostCertificates {
  const { environment, authorities = [] } = options
  const folders = environment === undefined ? [] : certificateFolders(environment)
  return (host) => {
    const found = certificatesIn(folders, host)
    return { ...found, authorities: [...found.authorities, ...authorities.map(readPem)] }
  }
}

/** A client for all registries of one run. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  return new RegistryClient(options)
}
