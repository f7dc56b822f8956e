import { lstatSync, rmSync } from 'node:fs'
import { isNoSpace } from '../filesystem/failure.ts'
import { type FileLock, lock, tryLock } from '../filesystem/file-lock.ts'
import type { Presence } from '../filesystem/presence.ts'
import { SweepGate } from '../filesystem/sweep-gate.ts'
import { forgetRecord } from '../records/cache-records.ts'
import type { Database } from '../records/database.ts'
import type { StoreParts } from '../store.ts'
import { type CollectionRequest, removable } from './choice.ts'
import type { Documents } from './documents.ts'
import { digestItems } from './folder-items.ts'
import { readInventory } from './inventory.ts'
import type { RemovedLayer, StoreItem } from './store-item.ts'

/** What a sweep works on. */
export interface SweepDeps {
  readonly parts: StoreParts
  readonly documents: Documents
}

/**
 * Removes items that were chosen a while ago, but for those that somebody has begun to use, or has named, since
 * then. Rows of the database go before files, and files into the folder of this process, where they are
 * removed in the background. A sweep that is killed leaves what the next one removes.
 * @returns what is gone
 * @throws {TsbuildError} IO_FAILED, NO_SPACE
 */
export async function sweep(
  chosen: readonly StoreItem[],
  request: Pick<CollectionRequest, 'all'>,
  deps: SweepDeps,
): Promise<readonly StoreItem[]> {
  makeRoom(deps.parts)
  const first = await sweepOnce(chosen, request, deps)
  if (first.failure === undefined) return first.gone
  // The disk was full: there is room for the rows now. What they say of files that are not there is harmless.
  await deps.parts.presence.discarded()
  const second = await sweepOnce(chosen, request, deps)
  if (second.failure !== undefined) throw second.failure
  return first.gone
}

/** The folder of this process needs a little space: digests of contexts are the first to go for it. */
function makeRoom({ layout, presence }: StoreParts): void {
  try {
    presence.establish()
  } catch (cause) {
    if (!isNoSpace(cause)) throw cause
    for (const { contents } of digestItems(layout)) {
      for (const path of contents.paths) rmSync(path, { force: true })
    }
    presence.establish()
  }
}

interface Swept {
  readonly gone: readonly StoreItem[]
  /** Why their rows are still there. */
  readonly failure: unknown
}

async function sweepOnce(
  chosen: readonly StoreItem[],
  request: Pick<CollectionRequest, 'all'>,
  { parts, documents }: SweepDeps,
): Promise<Swept> {
  const { layout, presence, database } = parts
  using mounts = lockMounts(chosen)
  // Names stay as they are meanwhile. Before the gate: who holds this lock may have to wait at the gate.
  using _ = await lock(layout.lock)
  using taken = await lock(layout.sweepLock)
  using gate = new SweepGate(taken)
  let gone: readonly StoreItem[] = []
  let failure: unknown
  try {
    // A power cut must not bring back that a folder is on the disk: another one may have its name by then.
    database.durably(() => {
      gate.raise()
      const isFree = (item: StoreItem): boolean => mounts.has(item)
      gone = stillChosen(chosen, readInventory(parts, documents), { ...request, isFree })
      forget(gone, database)
    })
  } catch (cause) {
    if (!isNoSpace(cause)) throw cause
    failure = cause
  }
  moveAside(gone, presence)
  return { gone, failure }
}

/** What several have in common goes with the last of them. */
function moveAside(items: readonly StoreItem[], presence: Presence): void {
  const ids = new Set(items.map(({ id }) => id))
  for (const { contents } of items) {
    const common = [...contents.common].filter(([, owners]) => owners.every((id) => ids.has(id)))
    for (const path of [...contents.paths, ...common.map(([path]) => path)]) {
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) presence.discard(path)
    }
  }
}

interface FreeRequest extends Pick<CollectionRequest, 'all'> {
  /** False for what others have locked. */
  readonly isFree: (item: StoreItem) => boolean
}

/** Of the chosen items those that are still there and still not needed, as they are now. */
function stillChosen(
  chosen: readonly StoreItem[],
  items: readonly StoreItem[],
  { all, isFree }: FreeRequest,
): readonly StoreItem[] {
  const before = new Map(chosen.map((item) => [item.id, item]))
  const going = removable(items, (item) => {
    const { id, isFixed, lastUsedAt, images, type } = item
    const known = before.get(id)
    if (known === undefined || known.type !== type || isFixed) return false
    if (item.contents.lock === undefined ? item.isInUse : !isFree(item)) return false
    return lastUsedAt <= known.lastUsedAt && (all || images.length === 0)
  })
  const contents = new Map(going.map((item) => [item.id, item.contents]))
  // As they were measured, and before their locks were taken.
  return chosen.flatMap((item) => {
    const found = contents.get(item.id)
    return found === undefined ? [] : [{ ...item, contents: found }]
  })
}

/** The locks of the cache mounts among items, as far as nobody else has them. */
function lockMounts(
  items: readonly StoreItem[],
): Disposable & { readonly has: (item: StoreItem) => boolean } {
  const locks = new Map<string, FileLock>()
  for (const { contents } of items) {
    if (contents.lock === undefined) continue
    const taken = tryLock(contents.lock)
    if (taken !== undefined) locks.set(contents.lock, taken)
  }
  return {
    has: ({ contents }) => contents.lock !== undefined && locks.has(contents.lock),
    [Symbol.dispose]: () => {
      for (const taken of locks.values()) taken[Symbol.dispose]()
    },
  }
}

/** Records first: they are what layers are found by. To be called in a transaction. */
function forget(items: readonly StoreItem[], database: Database): void {
  const layers = items.flatMap(({ contents }) => contents.layer ?? [])
  if (layers.length === 0) return
  for (const layer of layers) forgetLayer(layer, database)
  for (const sql of ORPHANS) database.run(sql)
}

function forgetLayer({ id, records, isNamed }: RemovedLayer, database: Database): void {
  for (const key of records) {
    forgetRecord(database, key)
    database.run('DELETE FROM aliases WHERE key = ?', key)
  }
  database.run('DELETE FROM seals WHERE id = ?', id)
  // The size of a tar that an image has, and whose its files are, are known from nowhere else.
  const forgotten = isNamed
    ? 'UPDATE layers SET directory = 0, boot = NULL WHERE id = ?'
    : 'DELETE FROM layers WHERE id = ?'
  database.run(forgotten, id)
  for (const table of ['renamed', 'differences']) {
    database.run(`DELETE FROM ${table} WHERE id = ?`, id)
  }
}

/** What was known of layers and steps that are not known any more. */
const ORPHANS = [
  `DELETE FROM records WHERE layer IS NOT NULL AND layer NOT IN (SELECT id FROM layers)
   AND layer NOT IN (SELECT name FROM renamed)`,
  'DELETE FROM inputs WHERE key NOT IN (SELECT key FROM records)',
  'DELETE FROM made WHERE key NOT IN (SELECT key FROM records)',
  `DELETE FROM repositories WHERE digest IN (SELECT digest FROM compressed
   WHERE diff_id NOT IN (SELECT diff_id FROM layers WHERE diff_id IS NOT NULL))`,
  `DELETE FROM compressed WHERE diff_id NOT IN (SELECT diff_id FROM layers WHERE diff_id IS NOT NULL)`,
  `DELETE FROM packings WHERE diff_id NOT IN (SELECT diff_id FROM layers WHERE diff_id IS NOT NULL)`,
  `DELETE FROM annotations WHERE diff_id NOT IN (SELECT diff_id FROM layers WHERE diff_id IS NOT NULL)`,
  `DELETE FROM presumed WHERE diff_id NOT IN (SELECT diff_id FROM layers WHERE diff_id IS NOT NULL)`,
]
