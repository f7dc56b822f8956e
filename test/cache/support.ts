import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type CacheKey, type CacheMountRequest, cacheKeyOf, openStore, type Store } from '#cache'
import type { Json } from '#core'
import type { StoreOptions } from '../../cache/store.ts'

const made: string[] = []

/** A fresh path for a store, below the system's temporary folder; removed after each test. */
export function newRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tsbuild-cache-'))
  made.push(folder)
  return join(folder, 'store')
}

/** To be called in `afterEach`. */
export function removeRoots(): void {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** Opens a store, and closes it after `work`. */
export async function withStore<T>(
  root: string,
  work: (store: Store) => T | Promise<T>,
  options: StoreOptions = {},
): Promise<T> {
  await using store = openStore(root, options)
  return await work(store)
}

export function keyOf(name: Json): CacheKey {
  return cacheKeyOf({ test: name })
}

/** Puts a record for `name` whose layer is a folder with one file. */
export async function putStep(store: Store, name: string): Promise<void> {
  await using folder = store.temporary()
  writeFileSync(join(folder.path, 'made-by'), name)
  const layer = await store.layers.commitDirectory(folder.path)
  store.records.put({
    key: keyOf(name),
    family: keyOf(['family', name]),
    preimage: { name },
    layer: layer.id,
    description: `RUN ${name}`,
  })
}

/** A cache mount that begins with so many files. */
export function fullMount(count: number): CacheMountRequest {
  return {
    identity: { id: 'full' },
    label: 'full',
    sharing: 'locked',
    fill: async (directory) => {
      for (let number = 0; number < count; number++) writeFileSync(join(directory, `${number}`), '')
    },
  }
}

/** Makes the store believe that it was last used before the machine was started. */
export function pretendReboot(root: string): void {
  const before = 'an-earlier-boot'
  const boot = readFileSync(join(root, 'boot'), 'utf8')
  writeFileSync(join(root, 'boot'), before)
  const database = new DatabaseSync(join(root, 'tsbuild.db'))
  database.prepare('UPDATE layers SET boot = ? WHERE boot = ?').run(before, boot)
  database.close()
}
