import type { Store } from '#cache'
import { chainIdsOf, type JsonObject, TsbuildError } from '#core'
import {
  booleanFilter,
  type Filters,
  matchesAny,
  matchesLabels,
  parseFilters,
  parseMoment,
} from '#engine/model'
import { pathMatcher } from '#parser'
import { familiarReference, formatReference } from '#registry-client'
import {
  createdOf,
  type EngineImage,
  layerSizes,
  referencesOf,
  repositoryDigestsOf,
  sizeOf,
  tagsOf,
} from './image/engine-image.ts'
import { findImage } from './image/find-image.ts'
import { descriptorDocument } from './image-documents.ts'
import { manifestSummaries } from './manifest-summaries.ts'

/** The query of `GET /images/json`. */
export interface ListQuery {
  readonly filters?: string | undefined
  /** `shared-size` */
  readonly sharedSize?: boolean
  readonly manifests?: boolean
}

/** What lists are made with. */
export interface ListDeps {
  readonly store: Store
  /** Minor version of the API: 41 for 1.41. */
  readonly minor: number
  /** Ids of the containers of an image, by its id. */
  readonly containersOf: (id: string) => readonly string[]
}

const FILTERS = ['dangling', 'label', 'before', 'since', 'reference', 'until']

/** Spec: Docker Engine API, ImageSummary. @throws {TsbuildError} USAGE, NOT_FOUND for the image of a filter */
export async function listImages(
  images: readonly EngineImage[],
  query: ListQuery,
  deps: ListDeps,
): Promise<readonly JsonObject[]> {
  const filters = parseFilters(query.filters, FILTERS)
  const namesOf = namesFilter(filters)
  const fits = imageFilter(images, filters, namesOf)
  const shared = query.sharedSize === true ? sharedLayers(images) : undefined
  const found = images.filter(fits).toSorted(newestFirst)
  const documents = []
  for (const image of found) {
    const names = namesOf(image)
    documents.push({
      ...summaryOf(image, names, deps),
      SharedSize: shared === undefined ? -1 : shared(image, deps.store),
      ...(query.manifests === true ? { Manifests: await manifestSummaries(image, deps) } : {}),
    })
  }
  return documents
}

interface ImageNames {
  readonly tags: readonly string[]
  readonly digests: readonly string[]
}

/** Until 1.43 an image without a name has names that say so. */
function summaryOf(
  image: EngineImage,
  { tags, digests }: ImageNames,
  { store, minor, containersOf }: ListDeps,
): JsonObject {
  const isUnnamed = tags.length === 0 && digests.length === 0 && minor < 43
  const size = sizeOf(store, image)
  const created = createdOf(image)
  return {
    Id: image.id,
    ParentId: '',
    RepoTags: isUnnamed ? ['<none>:<none>'] : [...tags],
    RepoDigests: isUnnamed ? ['<none>@<none>'] : [...digests],
    Created: Number((created ?? 0n) / 1_000_000_000n),
    Size: size,
    ...(minor < 44 ? { VirtualSize: size } : {}),
    Labels: { ...image.config.config.Labels },
    Containers: minor < 51 ? -1 : image.ids.flatMap(containersOf).length,
    ...(minor < 48 ? {} : { Descriptor: descriptorDocument(image.target) }),
  }
}

/** Names of images; with patterns, only those that fit one. @throws {TsbuildError} USAGE */
function namesFilter(filters: Filters): (image: EngineImage) => ImageNames {
  const patterns = (filters.get('reference') ?? []).map(referenceMatcher)
  return (image) =>
    patterns.length === 0
      ? { tags: tagsOf(image), digests: repositoryDigestsOf(image) }
      : namesThatFit(image, patterns)
}

/** Far more than names are long. */
const MOST_CHARACTERS = 1024

function referenceMatcher(pattern: string): (name: string) => boolean {
  if (pattern.length > MOST_CHARACTERS) return () => false
  try {
    return pathMatcher(pattern)
  } catch (cause) {
    throw new TsbuildError('syntax error in pattern', { code: 'USAGE', cause })
  }
}

function newestFirst(one: EngineImage, other: EngineImage): number {
  const [first = 0n, second = 0n] = [createdOf(one), createdOf(other)]
  if (first !== second) return first > second ? -1 : 1
  return one.id < other.id ? -1 : 1
}

function namesThatFit(
  image: EngineImage,
  patterns: readonly ((name: string) => boolean)[],
): ImageNames {
  const fitting = referencesOf(image).filter((reference) => {
    const { registry, repository } = reference
    const targets = [
      reference.text,
      familiarReference({ registry, repository }),
      formatReference(reference),
      `${registry}/${repository}`,
    ]
    return patterns.some((fits) => targets.some(fits))
  })
  return {
    tags: fitting.flatMap(({ digest, text }) => (digest === undefined ? [text] : [])),
    digests: fitting.flatMap(({ digest, text }) => (digest === undefined ? [] : [text])),
  }
}

function imageFilter(
  images: readonly EngineImage[],
  filters: Filters,
  namesOf: (image: EngineImage) => ImageNames,
): (image: EngineImage) => boolean {
  const timeOf = (text: string): bigint => createdOf(findImage(images, text)) ?? 0n
  const before = [
    ...(filters.get('before') ?? []).map(timeOf),
    ...(filters.get('until') ?? []).map(parseMoment),
  ]
  const since = (filters.get('since') ?? []).map(timeOf)
  const dangling = booleanFilter(filters, 'dangling')
  return (image) => {
    const created = createdOf(image)
    if (before.some((limit) => created === undefined || created >= limit)) return false
    if (since.some((limit) => created === undefined || created <= limit)) return false
    if (!matchesLabels(filters, image.config.config.Labels)) return false
    const isDangling = tagsOf(image).length === 0
    if (dangling !== undefined && dangling !== isDangling) return false
    const { tags, digests } = namesOf(image)
    return matchesAny(filters, 'reference', () => tags.length + digests.length > 0)
  }
}

/** Bytes of the layers that an image has in common with others. */
function sharedLayers(
  images: readonly EngineImage[],
): (image: EngineImage, store: Store) => number {
  const counts = layerUses(images)
  return (image, store) => {
    const sizes = layerSizes(store, image)
    return chainIdsOf(image.config.diffIds).reduce((sum, chain, position) => {
      return (counts.get(chain) ?? 0) > 1 ? sum + (sizes[position] ?? 0) : sum
    }, 0)
  }
}

/** How many images have a layer, by its chain id. */
export function layerUses(images: readonly EngineImage[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { config } of images) {
    for (const chain of chainIdsOf(config.diffIds)) counts.set(chain, (counts.get(chain) ?? 0) + 1)
  }
  return counts
}
