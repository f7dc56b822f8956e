import type { TransferOptions } from '#core'
import type { CredentialStore, Credentials } from './credentials.ts'
import type { Reference } from './reference.ts'
import type { Repository } from './repository.ts'

export interface RegistryClientOptions {
  readonly credentials: CredentialStore
  /** Hosts (`host` or `host:port`) that may use plain http or an unknown certificate. */
  readonly insecure?: readonly string[] | undefined
  readonly userAgent?: string | undefined
  /** What registries want a person to know, each text once. */
  readonly onWarning?: ((message: string) => void) | undefined
  readonly maxConnectionsPerHost?: number | undefined
}

/** Connections, tokens and warnings shared by all repositories of one run. */
export interface RegistryClient extends AsyncDisposable {
  repository(reference: Pick<Reference, 'registry' | 'repository'>): Repository
  /**
   * Checks that `registry` answers and accepts `credentials` (none: anonymously).
   * @throws {RegistryError} REGISTRY_DENIED, REGISTRY_UNREACHABLE, REGISTRY_FAILED
   */
  ping(
    registry: string,
    credentials: Credentials | undefined,
    options?: TransferOptions,
  ): Promise<void>
  /** Ends every connection; requests under way fail. */
  close(): Promise<void>
}

export function createRegistryClient(options: RegistryClientOptions): RegistryClient {
  throw new Error(`unfinished ${options}`)
}
