import { compressionFor, type EarlyLayers, type Output, takenBy } from '#builder/export'
import type { CacheExportSettings, Settings } from '#builder/options'
import type { MountSharing, SolvedStep, StepTaker, WorkPool } from '#builder/solve'
import type { RemoteLayer, RepositoryName, ResultCache, Store } from '#cache'
import {
  type Compression,
  type DiffId,
  firstFailure,
  type Json,
  reported,
  TsbuildError,
} from '#core'
import type { RegistryClient } from '#registry-client'
import { CacheExport } from './exports/cache-export.ts'
import { InlineExport } from './exports/inline-export.ts'
import { importedResults } from './imports/imported-results.ts'
import { layeredResults } from './imports/layered-results.ts'
import { UploadReport } from './layers/upload-report.ts'
import { SharedMounts } from './mounts/shared-mounts.ts'
import { openSigner, openVerifier } from './records/signatures.ts'
import type { CacheShelf } from './shelf/cache-shelf.ts'
import { shelfOf } from './shelf/open-shelf.ts'

/** What caches elsewhere are opened with. */
export interface CachesDeps {
  readonly settings: Settings
  readonly store: Store
  readonly client: () => RegistryClient
  readonly early: EarlyLayers
  readonly pool: WorkPool
  /** Whether an output makes other layers of those of the steps. */
  readonly changesLayers: (output: Output) => boolean
}

/** The caches elsewhere of one build. */
export interface Caches extends AsyncDisposable {
  /** The local cache, and behind it all that results are looked up in. */
  readonly results: ResultCache
  readonly mountSharing: MountSharing
  /** `undefined`: results are sent nowhere. */
  readonly taker: StepTaker | undefined
  /** What an image with these layers says of its steps; `undefined`: nothing. */
  resultsOf(diffIds: readonly DiffId[]): Promise<Json | undefined>
  /** Whether an output needs the bytes of a layer of the image that is elsewhere. */
  readonly isNeeded: (layer: RemoteLayer) => boolean
  /**
   * A repository on a registry of the image that gets the layers of its steps, and when it has them: a push
   * takes them over from there.
   */
  readonly sibling: RepositoryName | undefined
  layersSent(): Promise<void>
  /**
   * Sends what was taken. To be called when the image is where it is to go.
   * @throws {TsbuildError} when a cache cannot be written whose errors are not ignored
   */
  send(): Promise<void>
}

/** Opens the caches that a build reads and writes; nothing is requested yet. */
export function openCaches(deps: CachesDeps): Caches {
  const { settings, store } = deps
  const shelves: CacheShelf[] = []
  const opened = (shelf: CacheShelf): CacheShelf => {
    shelves.push(shelf)
    return shelf
  }
  const compression = usualCompression(settings)
  const sources = settings.cacheFrom.map(({ location, verify }) => {
    const shelf = opened(shelfOf(location, { ...deps, isWritten: false }))
    return importFrom(shelf, { settings, compression, verify })
  })
  const mounts = new SharedMounts({
    ...{ sources, store, pool: deps.pool, signal: settings.signal },
    onProblem: (cause) =>
      settings.onEvent({
        type: 'warning',
        message: `a cache mount stays empty: ${reasonOf(cause)}`,
      }),
  })
  const exports = settings.cacheTo.map((target, position) => {
    const shelf = opened(shelfOf(target.location, { ...deps, isWritten: true }))
    const uploads = new UploadReport(`cache ${position} layers`, shelf.name, settings.onEvent)
    return {
      target,
      to: exportTo(shelf, { ...deps, target, mounts, uploads, usual: compression }),
    }
  })
  const inline = settings.inlineCache ? new InlineExport() : undefined
  const sibling = siblingOf(
    exports.map(({ to }) => to),
    settings,
  )
  return {
    results: layeredResults(store.results, sources),
    mountSharing: mounts,
    taker: takerOf([...exports.map(({ to }) => to), ...(inline === undefined ? [] : [inline])]),
    resultsOf: async (diffIds) => inline?.resultsOf(diffIds),
    isNeeded: (layer) => isNeeded(layer, deps),
    sibling: sibling?.origin,
    layersSent: async () => sibling?.layersSent(),
    send: () => sendAll(exports, settings),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(exports.map(({ to }) => to[Symbol.asyncDispose]()))
      await Promise.all(shelves.map((shelf) => shelf[Symbol.asyncDispose]()))
    },
  }
}

/** That of the first output that packs layers, so that the image and a cache share blobs. */
function usualCompression({ outputs }: Settings): Compression {
  const packed = outputs.map(compressionFor).find((one) => one !== 'none')
  return packed ?? 'gzip'
}

interface ImportRequest {
  readonly settings: Settings
  readonly compression: Compression
  readonly verify: string | undefined
}

function importFrom(
  shelf: CacheShelf,
  { settings, compression, verify }: ImportRequest,
): ReturnType<typeof importedResults> {
  const { onEvent, signal } = settings
  const { name } = shelf
  return importedResults(shelf, {
    compression,
    signal,
    verifier: verify === undefined ? undefined : openVerifier(verify),
    report: (read) =>
      reported(
        { id: `cache from ${name}`, name: `importing cache from ${name}`, part: 'fetch' },
        onEvent,
        read,
      ),
    onProblem: (cause) => onEvent({ type: 'warning', message: describeProblem(name, cause) }),
  })
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function describeProblem(name: string, cause: unknown): string {
  const reason = reasonOf(cause)
  if (!(cause instanceof TsbuildError)) return `the cache ${name} cannot be read: ${reason}`
  if (cause.code === 'NOT_FOUND') return `there is no cache ${name} yet: ${reason}`
  const hint = cause.hint === undefined ? '' : ` (${cause.hint})`
  return cause.code === 'UNSUPPORTED'
    ? `${name} cannot be used as a cache: ${reason}${hint}`
    : `the cache ${name} cannot be read, so steps may run again: ${reason}${hint}`
}

interface ExportRequest extends CachesDeps {
  readonly target: CacheExportSettings
  readonly usual: Compression
  readonly mounts: SharedMounts
  readonly uploads: UploadReport
}

function exportTo(
  shelf: CacheShelf,
  { target, usual, mounts, uploads, settings, store, early }: ExportRequest,
): CacheExport {
  const { onEvent, signal, outputs, tags } = settings
  const { compression = usual, level, mode, isForced, sign, sendsMounts } = target
  const isPushed = outputs.some(({ type }) => type === 'registry')
  return new CacheExport(shelf, {
    ...{ mode, level, isForced, store, early, signal, uploads },
    signer: sign === undefined ? undefined : openSigner(sign),
    mounts: sendsMounts ? mounts : undefined,
    compression: compression === 'uncompressed' ? 'none' : compression,
    siblings: isPushed ? tags : [],
    onProblem: (cause) => onEvent({ type: 'warning', message: describeProblem(shelf.name, cause) }),
  })
}

/** The cache on a registry to which the image is pushed, which then need not get its layers twice. */
function siblingOf(
  exports: readonly CacheExport[],
  { outputs, tags }: Settings,
): CacheExport | undefined {
  if (outputs.every(({ type }) => type !== 'registry')) return undefined
  const registries = new Set(tags.map(({ registry }) => registry))
  return exports.find(({ origin }) => origin !== undefined && registries.has(origin.registry))
}

function takerOf(exports: readonly StepTaker[]): StepTaker | undefined {
  if (exports.length === 0) return undefined
  return {
    takesAll: exports.some(({ takesAll }) => takesAll),
    take: (step: SolvedStep) => {
      for (const one of exports) one.take(step)
    },
    takeFamily: (family) => {
      for (const one of exports) one.takeFamily(family)
    },
  }
}

/** A layer that goes back to its registry is taken over there. */
function isNeeded({ origin }: RemoteLayer, { settings, changesLayers }: CachesDeps): boolean {
  const { outputs, tags } = settings
  const isBack = tags.every(({ registry }) => registry === origin?.registry)
  const isPushed = outputs.some(({ type }) => type === 'registry')
  const takes = new Set(outputs.map(takenBy))
  // Images and files of one build must not differ, so a layer that is damaged is found before.
  if (takes.size > 1) return true
  return outputs.some((output) => {
    if (takenBy(output) === 'files') return false
    // Of what is pushed the store leaves layers in the registry.
    const isLeft = isPushed && (output.type === 'registry' || output.type === 'store')
    return !isLeft || !isBack || changesLayers(output)
  })
}

async function sendAll(
  exports: readonly { readonly target: CacheExportSettings; readonly to: CacheExport }[],
  { onEvent, signal }: Settings,
): Promise<void> {
  const failures: TsbuildError[] = []
  for (const [position, { target, to }] of exports.entries()) {
    const vertex = `cache ${position} to ${to.name}`
    const name = `exporting cache to ${to.name}`
    try {
      await reported({ id: vertex, name, part: 'export' }, onEvent, () => to.publish())
    } catch (thrown) {
      const cause = firstFailure(thrown)
      if (!(cause instanceof TsbuildError) || signal?.aborted === true) throw cause
      const failure = exportError(to.name, cause)
      if (target.ignoresErrors) onEvent({ type: 'warning', message: failure.message })
      else failures.push(failure)
    }
  }
  if (failures[0] !== undefined) throw failures[0]
}

function exportError(name: string, cause: TsbuildError): TsbuildError {
  const { code, message, hint } = cause
  return new TsbuildError(`export the cache to ${name}: ${message}`, {
    code,
    cause,
    hint: hint ?? 'the image is where it was to go; ignore-error=true makes this a warning',
  })
}
