import { pushImages, readFromStore } from '#builder/export'
import { defaultCredentials } from '#builder/options'
import { openStore, resolveRoot } from '#cache'
import { type BuildEventListener, type Descriptor, TsbuildError, timed, typedFailure } from '#core'
import {
  type CredentialStore,
  createRegistryClient,
  familiarReference,
  formatReference,
  parseReference,
  withDefaultTag,
} from '#registry-client'
import { reportOutput } from '../deliver.ts'

/** What `pushFromStore` is asked to do. */
export interface PushOptions {
  /** An image of the local store; the registry is part of its name. */
  readonly name: string
  /** Default: as in `BuildOptions`. */
  readonly root?: string
  /** As in `BuildOptions`. */
  readonly insecureRegistries?: readonly string[]
  /** As in `BuildOptions`. */
  readonly authFile?: string
  /** As in `BuildOptions`. */
  readonly registryAuthorities?: readonly string[]
  /** As in `BuildOptions`. */
  readonly ignoreChownErrors?: boolean
  /** Default: docker's config.json and its helpers. */
  readonly credentials?: CredentialStore
  readonly onEvent?: BuildEventListener
  readonly signal?: AbortSignal
}

/** What the registry has now. */
export interface PushResult {
  /** Canonical. */
  readonly name: string
  /** The manifest in the registry: with compressed layers, so not the one in the store. */
  readonly descriptor: Descriptor
}

/** Pushes an image of the local store. @throws {TsbuildError} NOT_FOUND, PERMISSION_DENIED and registry failures */
export async function pushFromStore(options: PushOptions): Promise<PushResult> {
  try {
    return await push(options)
  } catch (cause) {
    throw typedFailure('push', cause)
  }
}

async function push(options: PushOptions): Promise<PushResult> {
  const { insecureRegistries = [], signal } = options
  const onEvent = timed(options.onEvent ?? (() => undefined))
  const reference = withDefaultTag(parseReference(options.name))
  const name = formatReference(reference)
  await using store = openStore(options.root ?? resolveRoot(process.env))
  const named = store.images.get(name)
  if (named === undefined) {
    throw new TsbuildError(`no image ${familiarReference(reference)} in the local store`, {
      code: 'NOT_FOUND',
      hint: 'build it with -t, or see `tsbuild images` for what is there',
    })
  }
  await using client = createRegistryClient({
    credentials:
      options.credentials ??
      defaultCredentials(process.env, {
        authFile: options.authFile,
        onWarning: (message) => onEvent({ type: 'warning', message }),
      }),
    environment: process.env,
    authorities: options.registryAuthorities,
    insecure: insecureRegistries,
    onWarning: (message) => onEvent({ type: 'warning', message }),
    memory: store.repositories,
  })
  const image = await readFromStore(named.descriptor, { store, client: () => client })
  const descriptor = await reportOutput(`pushing ${name}`, { onEvent, position: 0 }, (onProgress) =>
    pushImages(image, [reference], {
      store,
      early: undefined,
      client,
      compression: 'gzip',
      ignoreChownErrors: options.ignoreChownErrors ?? false,
      onProgress,
      signal,
    }),
  )
  return { name, descriptor }
}
