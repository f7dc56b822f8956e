import type {
  DiskUsageRequest,
  Draft,
  PruneRequest,
  Timestamp,
  UsageRecord,
} from '#buildkit/messages'
import { type CollectionRequest, Collector, openStore, parseFilters, type StoreItem } from '#cache'

const NANOSECONDS = 1_000_000

/** What the store has, as clients list it. Spec: BuildKit, api/services/control, UsageRecord */
export async function diskUsage(
  root: string,
  { filter, ageLimit }: DiskUsageRequest,
  signal: AbortSignal,
): Promise<readonly Draft<UsageRecord>[]> {
  await using store = openStore(root, {})
  const items = await new Collector(store).items({ sizes: 'last', signal })
  const matches = matcherOf({ filter, unusedFor: ageLimit })
  return items.filter((item) => isCache(item) && matches(item)).map(recordOf)
}

/**
 * Removes what is asked for.
 * @returns what is gone
 * @throws {TsbuildError} USAGE
 */
export async function prune(
  root: string,
  request: PruneRequest,
  signal: AbortSignal,
): Promise<readonly Draft<UsageRecord>[]> {
  await using store = openStore(root, {})
  const { reservedSpace, maxUsedSpace, minFreeSpace } = request
  const limits = {
    reserved: positive(reservedSpace),
    maxUsed: positive(maxUsedSpace),
    minFree: positive(minFreeSpace),
  }
  const isLimited = Object.values(limits).some((limit) => limit !== undefined)
  const matches = matcherOf({ filter: request.filter, unusedFor: request.keepDuration })
  const wanted: CollectionRequest = {
    all: request.all,
    matches: (item) => isCache(item) && matches(item),
    ...(isLimited ? { limits } : {}),
  }
  const gone = await new Collector(store).remove(wanted, { sizes: 'last', signal })
  return gone.map(recordOf)
}

interface Wanted {
  /** One of them has to fit; in each, all parts. */
  readonly filter: readonly string[]
  /** Nanoseconds. */
  readonly unusedFor: number
}

function matcherOf({ filter, unusedFor }: Wanted): (item: StoreItem) => boolean {
  const now = Date.now()
  const texts = filter.filter((text) => text !== '')
  const filters = texts.map((text) =>
    parseFilters(
      text.split(',').map((part) => part.replace('==', '=').replace(/^parent(?=[=~!])/, 'parents')),
      now,
    ),
  )
  const since = now - unusedFor / NANOSECONDS
  return (item) =>
    (unusedFor <= 0 || item.lastUsedAt < since) &&
    (filters.length === 0 || filters.some((fits) => fits(item)))
}

/** Images, and what serves the store itself, are no cache. */
function isCache({ type, isFixed }: StoreItem): boolean {
  return type !== 'image' && !isFixed
}

function positive(bytes: number): number | undefined {
  return bytes > 0 ? bytes : undefined
}

function recordOf(item: StoreItem): Draft<UsageRecord> {
  return {
    ID: item.id,
    Mutable: item.isMutable,
    InUse: item.isInUse,
    Size: item.bytes,
    Parents: item.parents,
    CreatedAt: timestamp(item.createdAt),
    ...(item.lastUsedAt === 0 ? {} : { LastUsedAt: timestamp(item.lastUsedAt) }),
    // How often is not counted.
    UsageCount: item.lastUsedAt > item.createdAt ? 1 : 0,
    Description: item.description,
    RecordType: item.type,
    Shared: item.images.length > 0,
  }
}

function timestamp(milliseconds: number): Draft<Timestamp> {
  const seconds = Math.floor(milliseconds / 1000)
  return { seconds, nanos: Math.round((milliseconds - seconds * 1000) * NANOSECONDS) }
}
