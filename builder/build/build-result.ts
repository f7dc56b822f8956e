import type { BuildResult, Settings } from '#builder/options'
import type { Plan } from '#builder/plan'
import { isStep } from '#builder/solve'
import { type Descriptor, formatPlatform, type Material, sortMaterials } from '#core'
import { formatReference } from '#registry-client'
import type { BuiltImage } from './image-build.ts'

/** What a result says. */
export interface ResultFacts {
  readonly images: readonly BuiltImage[]
  /** Of the manifest or index that was written last. */
  readonly descriptor: Descriptor | undefined
  /** What was fetched: contexts, files, commits. */
  readonly fetched: readonly Material[]
  readonly settings: Settings
  /** Bytes that were added to the store. */
  readonly stored: number
  /** When the build started, by `performance.now()`. */
  readonly started: number
}

/** Sums a build up for its caller. */
export function resultOf({
  images,
  descriptor,
  fetched,
  settings,
  stored,
  started,
}: ResultFacts): BuildResult {
  const steps = images.flatMap(({ plan, reporter }) =>
    [...plan.vertices.values()]
      .filter((vertex) => isStep(vertex) && vertex.internal !== true)
      .map(({ id }) => reporter.isCached(id)),
  )
  const built = images.map(platformOf)
  const [first] = built
  return {
    digest: descriptor?.digest,
    descriptor,
    imageId:
      descriptor === undefined ? undefined : settings.isIndex ? descriptor.digest : first?.id,
    tags: descriptor === undefined ? [] : settings.tags.map(formatReference),
    layers: built.flatMap(({ layers }) => layers),
    images: built,
    materials: sortMaterials([...fetched, ...images.flatMap(({ plan }) => baseMaterials(plan))]),
    steps: { total: steps.length, cached: steps.filter((isCached) => isCached).length },
    stored,
    milliseconds: performance.now() - started,
  }
}

/** The images of a plan, whether or not a layer of them was fetched. */
export function baseMaterials({ vertices }: Plan): readonly Material[] {
  return [...vertices.values()].flatMap((vertex): readonly Material[] => {
    if (vertex.op !== 'image' || vertex.base.manifest === undefined) return []
    const { name: reference, manifest: digest, config } = vertex.base
    return [{ kind: 'image', reference, digest, platform: formatPlatform(config.platform) }]
  })
}

function platformOf({ plan, image, layers }: BuiltImage): BuildResult['images'][number] {
  return {
    platform: formatPlatform(image.platform),
    id: image.id,
    layers: layers.map(({ diffId, size, vertex }) => ({
      diffId,
      size,
      createdBy: vertex === undefined ? undefined : plan.vertices.get(vertex)?.name,
    })),
  }
}
