import { isJsonObject, type Json, type JsonObject } from '#core'
import { buildCacheUsage } from '#engine/images'
import type { ApiVersion } from '../http/api-version.ts'
import type { EngineServices } from '../services/engine-services.ts'
import { summariesWithSize } from './container-list.ts'

/** What usage is asked for. */
export interface UsageQuery {
  /** `container`, `image`, `volume`, `build-cache`; none: all. */
  readonly types: readonly string[]
  readonly verbose: boolean
}

/** The parts of an answer before API 1.52. */
interface Usage {
  readonly LayersSize?: number
  readonly Images?: readonly JsonObject[]
  readonly Containers?: readonly JsonObject[]
  readonly Volumes?: readonly Json[]
  readonly BuildCache?: readonly JsonObject[]
}

/** The document of GET /system/df: since 1.52 in a new form, beside the former one unless that is too much. */
export async function diskUsage(
  services: EngineServices,
  query: UsageQuery,
  { minor }: ApiVersion,
): Promise<JsonObject> {
  const usage = await measure(services, query.types)
  const former = minor < 44 ? withVirtualSizes(usage) : usage
  if (minor < 52) return { ...former } as JsonObject
  return { ...(query.verbose ? {} : (former as JsonObject)), ...inNewForm(usage) }
}

/** What older clients take for the size of an image. */
function withVirtualSizes(usage: Usage): Usage {
  const { Images } = usage
  if (Images === undefined) return usage
  return { ...usage, Images: Images.map((image) => ({ ...image, VirtualSize: image.Size ?? 0 })) }
}

async function measure(services: EngineServices, types: readonly string[]): Promise<Usage> {
  const isAsked = (type: string): boolean => types.length === 0 || types.includes(type)
  const { images, volumes } = services
  return {
    ...(isAsked('image') ? await images.usage() : {}),
    ...(isAsked('container') ? { Containers: await summariesWithSize(services) } : {}),
    ...(isAsked('volume') ? { Volumes: await volumes.describeUsage(volumes.all()) } : {}),
    ...(isAsked('build-cache') ? { BuildCache: await buildCacheUsage(images) } : {}),
  }
}

/** Counts and sums, and what they are of. */
function inNewForm(usage: Usage): JsonObject {
  const { LayersSize, Images, Containers, Volumes, BuildCache } = usage
  const part = (items: readonly Json[] | undefined, how: PartOptions): JsonObject | undefined =>
    items === undefined ? undefined : partOf(items.filter(isJsonObject), how)
  const parts = {
    ImageUsage: part(Images, {
      isActive: ({ Containers: count }) => Number(count) > 0,
      sizeOf: ({ Size, SharedSize }) => Number(Size) - Math.max(Number(SharedSize), 0),
      total: LayersSize,
    }),
    ContainerUsage: part(Containers, {
      isActive: ({ State }) => ['running', 'paused', 'restarting'].includes(String(State)),
      sizeOf: ({ SizeRw }) => Number(SizeRw ?? 0),
    }),
    VolumeUsage: part(Volumes, {
      isActive: (volume) => Number(usageOf(volume).RefCount) > 0,
      sizeOf: (volume) => Number(usageOf(volume).Size),
    }),
    BuildCacheUsage: part(BuildCache, {
      isActive: ({ InUse }) => InUse === true,
      sizeOf: ({ Size }) => Number(Size),
    }),
  }
  const known = Object.entries(parts).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known) as JsonObject
}

function usageOf({ UsageData }: JsonObject): JsonObject {
  return isJsonObject(UsageData) ? UsageData : {}
}

interface PartOptions {
  readonly isActive: (item: JsonObject) => boolean
  readonly sizeOf: (item: JsonObject) => number
  /** Bytes of all, where that is not the sum. */
  readonly total?: number | undefined
}

/** What is zero is left out. */
function partOf(
  items: readonly JsonObject[],
  { isActive, sizeOf, total }: PartOptions,
): JsonObject {
  const sum = (some: readonly JsonObject[]): number =>
    some.reduce((bytes, item) => bytes + sizeOf(item), 0)
  const active = items.filter(isActive)
  const all = total ?? sum(items)
  const counts = {
    ActiveCount: active.length,
    TotalCount: items.length,
    Reclaimable: Math.max(all - sum(active), 0),
    TotalSize: all,
  }
  return {
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    ...(items.length === 0 ? {} : { Items: items }),
  }
}
