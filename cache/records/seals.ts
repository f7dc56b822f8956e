/** What checks of layers' folders have to find. */
import { type Digest, isDigest } from '#core'
import type { Database } from './database.ts'
import type { LayerId } from './layer-id.ts'
import { sumOf } from './schema.ts'

/** The digest that a layer's folder had when it was checked last; `undefined` when it never was. */
export function sealOf(database: Database, id: LayerId): Digest | undefined {
  const { digest, sum } = database.get('SELECT * FROM seals WHERE id = ?', id) ?? {}
  if (typeof digest !== 'string' || !isDigest(digest)) return undefined
  return sum === sumOf(id, digest) ? digest : undefined
}

/** Records the digest of a layer's folder. */
export function setSeal(database: Database, id: LayerId, digest: Digest): void {
  database.run(
    'INSERT OR REPLACE INTO seals (id, digest, sum) VALUES (?, ?, ?)',
    ...[id, digest, sumOf(id, digest)],
  )
}
