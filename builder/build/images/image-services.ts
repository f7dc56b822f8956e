import { type BuildOptions, defaultCredentials } from '#builder/options'
import { openStore, resolveRoot, type Store } from '#cache'
import { type BuildEventListener, type OnEvent, timed } from '#core'
import {
  type BlobMemory,
  type CredentialStore,
  createRegistryClient,
  parseRegistryMirror,
  type RegistryClient,
} from '#registry-client'

/** As in `BuildOptions`. */
type NetworkOptions = Pick<
  BuildOptions,
  'authFile' | 'insecureRegistries' | 'registryAuthorities' | 'registryMirrors'
>

/** What everything that moves images takes. */
export interface ImageOptions extends NetworkOptions {
  /** As in `BuildOptions`. */
  readonly root?: string | undefined
  /** Default: docker's config.json and its helpers. */
  readonly credentials?: CredentialStore | undefined
  readonly onEvent?: BuildEventListener | undefined
  readonly signal?: AbortSignal | undefined
}

/** The listener of the options; facts without one are dropped. */
export function listenerOf({ onEvent }: ImageOptions): OnEvent {
  return timed(onEvent ?? (() => undefined))
}

/** The local store of a run; dispose of it. */
export function storeFor({ root }: Pick<ImageOptions, 'root'>): Store {
  return openStore(root ?? resolveRoot(process.env))
}

/** A client for the registries of a run; dispose of it. */
export function clientFor(options: ImageOptions, memory?: BlobMemory): RegistryClient {
  const { authFile, credentials, insecureRegistries, registryAuthorities, registryMirrors } =
    options
  const onEvent = listenerOf(options)
  const onWarning = (message: string): void => onEvent({ type: 'warning', message })
  return createRegistryClient({
    credentials: credentials ?? defaultCredentials(process.env, { authFile, onWarning }),
    environment: process.env,
    authorities: registryAuthorities,
    mirrors: registryMirrors?.map(parseRegistryMirror),
    insecure: insecureRegistries,
    onWarning,
    memory,
  })
}
