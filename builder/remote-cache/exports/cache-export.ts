import { Places, type SolvedStep, type StepTaker } from '#builder/solve'
import type { CacheKey, RepositoryName } from '#cache'
import { type PublishOptions, publish } from '../index/publish.ts'
import { type LayerUpload, shareLayer } from '../layers/share-layer.ts'
import type { UploadReport } from '../layers/upload-report.ts'
import type { SharedMounts } from '../mounts/shared-mounts.ts'
import { RecordSet } from '../records/record-set.ts'
import { dayOf, type SharedResult } from '../records/shared-result.ts'
import type { Signer } from '../records/signatures.ts'
import type { CacheShelf } from '../shelf/cache-shelf.ts'

/** How results are exported. */
export interface ExportOptions extends Omit<LayerUpload, 'shelf'>, Omit<PublishOptions, 'signal'> {
  /** `min`: the results whose layers the image has; `max`: all that the build has made or used. */
  readonly mode: 'min' | 'max'
  readonly signer: Signer | undefined
  /** Whose cache mounts are sent, too; `undefined`: none are. */
  readonly mounts: SharedMounts | undefined
  readonly uploads: UploadReport
}

/** Layers of the image, and others, that are sent at a time: steps go on meanwhile. */
const AT_ONCE = 2

interface SharedStep {
  readonly result: SharedResult
  readonly aliases: readonly CacheKey[]
}

/** Sends results to a cache elsewhere: layers while later steps run, and records in the end. */
export class CacheExport implements StepTaker, AsyncDisposable {
  readonly takesAll: boolean
  readonly #shelf: CacheShelf
  readonly #options: ExportOptions
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  /** A push may wait for the layers of the image, and not for others. */
  readonly #imagePlaces = new Places(AT_ONCE)
  readonly #otherPlaces = new Places(AT_ONCE)
  /** By the keys of their results; `undefined` for a layer that cannot be shared. */
  readonly #steps = new Map<CacheKey, Promise<SharedStep | undefined>>()
  /** Those of the image. */
  readonly #ofImage: Promise<unknown>[] = []
  readonly #families = new Set<CacheKey>()

  constructor(shelf: CacheShelf, options: ExportOptions) {
    this.takesAll = options.mode === 'max'
    this.#shelf = shelf
    this.#options = options
    const outer = options.signal === undefined ? [] : [options.signal]
    this.#signal = AbortSignal.any([this.#stop.signal, ...outer])
  }

  /** As messages name the cache. */
  get name(): string {
    return this.#shelf.name
  }

  /** The repository that gets the layers, if the cache is in a registry. */
  get origin(): RepositoryName | undefined {
    return this.#shelf.origin
  }

  take(step: SolvedStep): void {
    if (!this.takesAll && !step.isInImage) return
    const places = step.isInImage ? this.#imagePlaces : this.#otherPlaces
    const shared = places.use(() => this.#share(step))
    // A rejection reaches `publish`.
    shared.catch(() => undefined)
    this.#steps.set(step.key, shared)
    if (step.isInImage) this.#ofImage.push(shared)
  }

  takeFamily(family: CacheKey): void {
    this.#families.add(family)
  }

  /** Resolves when the layers of the image were sent, or could not be. */
  async layersSent(): Promise<void> {
    await Promise.allSettled(this.#ofImage)
  }

  /** Waits for all layers, and makes the results known. @throws {TsbuildError} what sending fails with */
  async publish(): Promise<void> {
    const steps = (await Promise.all(this.#steps.values())).filter((step) => step !== undefined)
    const records = new RecordSet()
    for (const { result, aliases } of steps) {
      records.addResult(result)
      const { key: target, usedOn } = result
      for (const alias of aliases) records.addLink(alias, { target, usedOn })
    }
    for (const mount of await this.#mounts()) records.addResult(mount)
    if (records.results.size === 0) return
    this.#options.signer?.sign(records)
    for (const family of this.#families) records.addFamily(family, dayOf(Date.now()))
    await publish(this.#shelf, records, { ...this.#options, signal: this.#signal })
  }

  /** @param name of what is sent, as a person reads it */
  #upload(name: string): LayerUpload {
    const shelf = this.#options.uploads.watching(this.#shelf, name)
    return { ...this.#options, shelf, signal: this.#signal }
  }

  async #mounts(): Promise<readonly SharedResult[]> {
    // No repository of an image has them, and they are packed at the usual level.
    const upload = { ...this.#upload('cache mounts'), siblings: [], level: undefined }
    return (await this.#options.mounts?.send(upload)) ?? []
  }

  /** Ends what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.allSettled(this.#steps.values())
  }

  async #share(step: SolvedStep): Promise<SharedStep | undefined> {
    const layer = await shareLayer(step, this.#upload(step.description))
    if (layer === undefined) return undefined
    const { key, family, inputs, description, createdAt, preimage, aliases } = step
    const usedOn = dayOf(Date.now())
    const facts = { key, family, inputs, description, createdAt, preimage, usedOn }
    return { result: { ...facts, layer }, aliases }
  }
}
