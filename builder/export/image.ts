import type { PlannedHistory, PlannedImage, VertexId } from '#builder/plan'
import {
  type Digest,
  digestOf,
  type HistoryEntry,
  type ImageConfig,
  type Json,
  type Platform,
  serializeImageConfig,
} from '#core'
import type { Attestation } from './layers/attestation.ts'
import type { ImageLayer } from './layers/image-layer.ts'

/** A layer together with the step that made it. */
export interface StepLayer extends ImageLayer {
  readonly vertex: VertexId | undefined
  readonly createdAt: Date | undefined
}

/** Times that an image may get beside those of its steps. */
export interface ImageTimes {
  /** The time of an image that has neither a step nor a base. */
  readonly defaultCreatedAt: Date
  /** The time of all that is new, where it is given; milliseconds. */
  readonly sourceDateEpoch?: number | undefined
}

/** What an image gets beside its layers and what was planned. */
export interface ImageAdditions extends ImageTimes {
  /** Results of its steps, for other machines. */
  readonly results?: Json | undefined
}

/** An assembled image, the same for all outputs; how its layers are packed is left to them. */
export interface FinishedImage {
  /** Of its entry in an index. */
  readonly platform: Platform
  readonly config: ImageConfig
  readonly configBytes: Buffer
  /** Digest of the config. */
  readonly id: Digest
  readonly layers: readonly ImageLayer[]
  /** What is said of it beside it; an image that has any is in an index. */
  readonly attestations?: readonly Attestation[]
}

/** The images of a build: one, or one for each platform of an index. */
export interface ImageSet {
  readonly images: readonly FinishedImage[]
  readonly isIndex: boolean
  /** What is said of them is artifacts, or in the form of images. Default: artifacts. */
  readonly isArtifact?: boolean
}

const COMMENT = 'buildkit.dockerfile.v0'

/**
 * Puts the layers and the planned image together. Times are those of the steps, so that an image
 * made from the cache is the very image that was made before.
 */
export function assembleImage(
  planned: PlannedImage,
  layers: readonly StepLayer[],
  { results, ...times }: ImageAdditions,
): FinishedImage {
  const { platform, author, config } = planned
  const history = assembleHistory(planned.history, layers, times)
  const isFixed = times.sourceDateEpoch !== undefined
  const last = isFixed ? undefined : history.at(-1)?.created
  const created = last ?? textOf(times.defaultCreatedAt, times)
  const diffIds = layers.map(({ diffId }) => diffId)
  const image: ImageConfig = {
    platform,
    created,
    config,
    diffIds,
    history,
    ...(author === undefined ? {} : { author }),
    results,
  }
  const configBytes = serializeImageConfig(image)
  return {
    platform: planned.offered,
    config: image,
    configBytes,
    id: digestOf(configBytes),
    layers,
  }
}

function textOf(time: Date, { sourceDateEpoch = time.getTime() }: ImageTimes): string {
  const text = new Date(sourceDateEpoch).toISOString()
  // As Go writes it, and with it every other builder.
  return text.replace('.000Z', 'Z')
}

function assembleHistory(
  planned: readonly PlannedHistory[],
  layers: readonly StepLayer[],
  times: ImageTimes,
): readonly HistoryEntry[] {
  const createdAtOf = new Map(layers.map((layer) => [layer.vertex, layer.createdAt]))
  const kept = planned.flatMap((item) => (item.kind === 'kept' ? [item.entry] : []))
  const firstStep = layers.find(({ createdAt }) => createdAt !== undefined)?.createdAt
  const earlier = kept.at(-1)?.created
  const isAsOld =
    firstStep === undefined && earlier !== undefined && times.sourceDateEpoch === undefined
  const start = isAsOld ? earlier : textOf(firstStep ?? times.defaultCreatedAt, times)
  let time = start
  const added = planned.flatMap((item): HistoryEntry[] => {
    if (item.kind === 'kept') return []
    const at = item.vertex === undefined ? undefined : createdAtOf.get(item.vertex)
    time = at === undefined ? time : textOf(at, times)
    const entry = { created: time, created_by: item.createdBy, comment: COMMENT }
    return [item.vertex === undefined ? { ...entry, empty_layer: true } : entry]
  })
  return [...kept, ...unrecorded(kept, layers, start), ...added]
}

/** Base images made without history get an entry for each layer that has none. */
function unrecorded(
  kept: readonly HistoryEntry[],
  layers: readonly StepLayer[],
  created: string,
): readonly HistoryEntry[] {
  const base = layers.filter(({ vertex }) => vertex === undefined).length
  const recorded = kept.filter(({ empty_layer }) => empty_layer !== true).length
  const missing = Math.max(base - recorded, 0)
  return Array.from({ length: missing }, () => ({
    created,
    created_by: 'layer of the base image',
    comment: 'buildkit.exporter.image.v0',
  }))
}
