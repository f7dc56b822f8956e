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
import { type BlobMemory, NO_MEMORY, type RepositoryName } from './blob-memory.ts'
import { Repository } from './repository.ts'

/** Options of a client: credentials, time-outs, insecure registries. */
export interface RegistryClientOptions {
  readonly credentials: CredentialStore
  /** Hosts (`host` or `host:port`) that may use plain http or an unknown certificate. */
  readonly insecure?: readonly string[] | undefined
  readonly userAgent?: string | undefined
  /** Its variables name proxies, authorities and the folders of certificates; none by default. */
  readonly environment?: Environment | undefined
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

/** Connections, tokens and warnings shared by all repositories of one run. */
export class RegistryClient implements AsyncDisposable {
  readonly #credentials: CredentialStore
  readonly #transport: Transport
  readonly #context: EndpointContext
  readonly #memory: BlobMemory
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #repositories = new Map<string, Repository>()

  constructor(options: RegistryClientOptions) {
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
    const created = new Repository({ endpoint: this.#endpoint(registry), name }, this.#memory)
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

  /** Ends every connection; requests under way fail. */
  close(): Promise<void> {
    return this.#transport.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #endpoint(registry: string): Endpoint {
    const known = this.#endpoints.get(registry)
    if (known !== undefined) return known
    const created = new Endpoint(registry, this.#context, () => this.#credentials.get(registry))
    this.#endpoints.set(registry, created)
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
