import { type CollectionRequest, Collector, parseFilters, type StoreItem } from '#cache'
import { type JsonObject, TsbuildError } from '#core'
import { parseFilters as parseQueryFilters } from '#engine/model'
import type { Images } from '../images.ts'
import type { BuildQuery } from './build-query.ts'

/** Docker's names of filters, and those of the store. */
const FILTERS: ReadonlyMap<string, string> = new Map([
  ...['until', 'unused-for', 'id', 'type', 'description'].map((name) => [name, name] as const),
  ...['inuse', 'mutable', 'immutable', 'shared', 'private'].map((name) => [name, name] as const),
  ['parent', 'parents'],
  ['parents', 'parents'],
])
const FLAGS: ReadonlySet<string> = new Set(['inuse', 'mutable', 'immutable', 'shared', 'private'])

/** Removes results of steps. Spec: Docker Engine API, POST /build/prune. @throws {TsbuildError} USAGE */
export async function pruneBuildCache(
  images: Images,
  query: BuildQuery,
  minor: number,
): Promise<JsonObject> {
  const request = readRequest(query, minor)
  const gone = await images.using(async (store) => {
    return await new Collector(store).remove(request, { sizes: 'last' })
  })
  const SpaceReclaimed = gone.reduce((sum, { bytes }) => sum + bytes, 0)
  images.options.events.emit({
    ...{ Type: 'builder', Action: 'prune', id: '' },
    attributes: { reclaimed: String(SpaceReclaimed) },
  })
  const CachesDeleted = gone.length === 0 ? null : gone.map(({ id }) => id)
  return { CachesDeleted, SpaceReclaimed }
}

function readRequest(query: BuildQuery, minor: number): CollectionRequest {
  const filters = parseQueryFilters(query.text('filters'), [...FILTERS.keys()])
  const texts = [...filters].flatMap(([name, values]) => {
    const known = FILTERS.get(name) ?? name
    return values.map((value) => (FLAGS.has(name) && value === '' ? known : `${known}=${value}`))
  })
  const keep = positive(query.integer('keep-storage'))
  const reserved = minor < 48 ? keep : (positive(query.integer('reserved-space')) ?? keep)
  const maxUsed = minor < 48 ? undefined : positive(query.integer('max-used-space'))
  const minFree = minor < 48 ? undefined : positive(query.integer('min-free-space'))
  const isLimited = [reserved, maxUsed, minFree].some((limit) => limit !== undefined)
  return {
    all: query.flag('all'),
    matches: matchesOf(texts),
    ...(isLimited ? { limits: { reserved, maxUsed, minFree } } : {}),
  }
}

function matchesOf(texts: readonly string[]): CollectionRequest['matches'] {
  const matches = parseFilters(texts, Date.now())
  return (item) => isCache(item) && matches(item)
}

function positive(value: number | undefined): number | undefined {
  if (value === undefined || value >= 0) return value === 0 ? undefined : value
  throw new TsbuildError('a size is negative', { code: 'USAGE' })
}

/** What is of no build's and no image's use is not cache: the store itself, and images. */
function isCache({ type, isFixed }: StoreItem): boolean {
  return type !== 'image' && !isFixed
}

/** A layer of an image that cannot be removed: it is counted with the image. */
function isUnderContainer({ isInUse, images }: StoreItem): boolean {
  return isInUse && images.length > 0
}

/** Whether it is a layer that an image has, and no step has made. */
function isImageLayer({ images, contents: { layer } }: StoreItem): boolean {
  return images.length > 0 && layer?.records.length === 0
}

/** What the build cache takes. Spec: Docker Engine API, BuildCache */
export async function buildCacheUsage(images: Images): Promise<readonly JsonObject[]> {
  const items = await images.using((store) => new Collector(store).items({ sizes: 'last' }))
  const cache = items.filter(
    (item) => isCache(item) && !isUnderContainer(item) && !isImageLayer(item),
  )
  return cache.map((item) => ({
    ID: item.id,
    ...(item.parents.length === 0 ? {} : { Parents: [...item.parents] }),
    Type: item.type,
    Description: item.description,
    InUse: item.isInUse,
    Shared: item.images.length > 0,
    Size: item.bytes,
    CreatedAt: new Date(item.createdAt).toISOString(),
    // How often is not counted.
    UsageCount: item.lastUsedAt > item.createdAt ? 1 : 0,
    LastUsedAt: item.lastUsedAt === 0 ? null : new Date(item.lastUsedAt).toISOString(),
  }))
}
