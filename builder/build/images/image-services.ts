import { defaultCredentials } from '#builder/options'
import { type BuildEventListener, type OnEvent, timed } from '#core'
import type { BlobMemory, CredentialStore, RegistryClient } from '#registry-client'
import { createRegistryClient } from '#registry-client'

/** What everything that moves images takes. */
export interface ImageOptions {
  /** As in `BuildOptions`. */
  readonly root?: string | undefined
  /** As in `BuildOptions`. */
  readonly insecureRegistries?: readonly string[] | undefined
  /** Default: docker's config.json and its helpers. */
  readonly credentials?: CredentialStore | undefined
  readonly onEvent?: BuildEventListener | undefined
  readonly signal?: AbortSignal | undefined
}

/** The listener of the options; facts without one are dropped. */
export function listenerOf({ onEvent }: ImageOptions): OnEvent {
  return timed(onEvent ?? (() => undefined))
}

/** A client for the registries of a run; dispose of it. */
export function clientFor(
  { credentials, insecureRegistries, ...options }: ImageOptions,
  memory?: BlobMemory,
): RegistryClient {
  const onEvent = listenerOf(options)
  return createRegistryClient({
    credentials: credentials ?? defaultCredentials(process.env),
    insecure: insecureRegistries,
    onWarning: (message) => onEvent({ type: 'warning', message }),
    memory,
  })
}
