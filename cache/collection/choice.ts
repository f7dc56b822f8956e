import { bytesToKeep, type SpaceLimits } from '../size-note.ts'
import { type StoreItem, sumOfBytes } from './store-item.ts'

/** What is to be removed. */
export interface CollectionRequest {
  /** Also what images have in common with results, and what serves the store itself. */
  readonly all: boolean
  /** Only these. */
  readonly matches: (item: StoreItem) => boolean
  /** Bytes that may stay; absent: none. What is worth least goes first. */
  readonly limits?: SpaceLimits | undefined
}

/** What items are chosen by beside the request. */
export interface ChoiceFacts {
  /** Bytes that are free on the file system of the store. */
  readonly free: number
  readonly now: number
}

/** The items that go, each after those that were made on it. */
export function chooseItems(
  items: readonly StoreItem[],
  request: CollectionRequest,
  facts: ChoiceFacts,
): readonly StoreItem[] {
  const candidates = removable(items, (item) => mayGo(item, request) && request.matches(item))
  const ordered = leastWorthFirst(candidates, facts.now)
  if (request.limits === undefined) return ordered
  let used = sumOfBytes(items)
  const kept = bytesToKeep(used, request.limits, facts.free)
  const chosen: StoreItem[] = []
  for (const item of ordered) {
    if (used <= kept) break
    chosen.push(item)
    used -= item.bytes
  }
  return chosen
}

function mayGo(item: StoreItem, { all }: CollectionRequest): boolean {
  if (item.isInUse || item.isFixed) return false
  return all || (item.images.length === 0 && item.type !== 'internal')
}

/** Those that pass the test, without those on which something lies that does not go. */
export function removable(
  items: readonly StoreItem[],
  test: (item: StoreItem) => boolean,
): readonly StoreItem[] {
  const going = new Map(items.filter(test).map((item) => [item.id, item]))
  const staying = items.filter(({ id }) => !going.has(id))
  for (let next = staying.pop(); next !== undefined; next = staying.pop()) {
    for (const parent of next.parents) {
      const found = going.get(parent)
      if (found === undefined) continue
      going.delete(parent)
      staying.push(found)
    }
  }
  return [...going.values()]
}

/**
 * Why an item of a store stays when what may go is removed; `undefined` for one that goes.
 * @param items all items of the store
 */
export function keptAmong(items: readonly StoreItem[]): (item: StoreItem) => string | undefined {
  const going = new Set(removable(items, (item) => ownReason(item) === undefined))
  const staying = new Map(items.flatMap((item) => (going.has(item) ? [] : [[item.id, item]])))
  return (item) => {
    const reason = ownReason(item)
    if (reason !== undefined) return reason
    const child = item.children.flatMap((id) => staying.get(id) ?? [])[0]
    return child && `a step on it: ${child.description}`
  }
}

function ownReason({ isInUse, isFixed, images }: StoreItem): string | undefined {
  if (isInUse) return 'in use'
  const [image, ...more] = images
  if (image !== undefined) return more.length === 0 ? image : `${image} and ${more.length} more`
  return isFixed ? 'part of the store' : undefined
}

/** In which what was not used is worth half as much; milliseconds. */
const HALF_LIFE = 3 * 24 * 60 * 60 * 1000
/** What is small would otherwise be worth more than everything else. */
const LEAST_BYTES = 64 * 1024
/** Seconds, where it was not recorded: a cache mount costs a download of all that it saves. */
const MOUNT_SECONDS = 60
/** Bytes a second, to fetch or unpack what is not a step's. */
const FETCHED = 20_000_000

/** An item is worth as many seconds a byte as it saves, the less the longer it was not used. */
function worthOf({ type, bytes, seconds, lastUsedAt }: StoreItem, now: number): number {
  const saved = seconds ?? (type === 'exec.cachemount' ? MOUNT_SECONDS : bytes / FETCHED)
  const age = Math.max(0, now - lastUsedAt)
  return (saved / Math.max(bytes, LEAST_BYTES)) * 0.5 ** (age / HALF_LIFE)
}

/** An item is worth at least as much as each that was made on it, and comes after it. */
function leastWorthFirst(items: readonly StoreItem[], now: number): readonly StoreItem[] {
  const byId = new Map(items.map((item) => [item.id, item]))
  const ranks = new Map<string, Rank>()
  const rankOf = (item: StoreItem): Rank => {
    const known = ranks.get(item.id)
    if (known !== undefined) return known
    // Of a circle, which a damaged database may hold, the first one found comes last.
    ranks.set(item.id, { worth: 0, depth: 0 })
    const below = item.children.flatMap((id) => byId.get(id) ?? []).map(rankOf)
    const worth = Math.max(worthOf(item, now), ...below.map((one) => one.worth))
    const depth = Math.max(0, ...below.map((one) => one.depth + 1))
    ranks.set(item.id, { worth, depth })
    return { worth, depth }
  }
  const ranked = items.map((item) => ({ item, ...rankOf(item) }))
  ranked.sort((a, b) => a.worth - b.worth || a.depth - b.depth)
  return ranked.map(({ item }) => item)
}

interface Rank {
  readonly worth: number
  /** Longer than that of everything that lies on it. */
  readonly depth: number
}
