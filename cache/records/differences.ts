/** Which layers have folders with only what differs from the folder of another one. */
import type { Database } from './database.ts'
import { isLayerId, type LayerId } from './layer-id.ts'
import { sumOf } from './schema.ts'

/** The layer that the folder of a layer is to be put on top of; `undefined` when that is not known. */
export function baseOfDifferences(database: Database, id: LayerId): LayerId | undefined {
  const { base, sum } = database.get('SELECT * FROM differences WHERE id = ?', id) ?? {}
  return isLayerId(base) && sum === sumOf(id, base) ? base : undefined
}

/** Records what the folder of a layer is to be put on top of. */
export function setBaseOfDifferences(database: Database, id: LayerId, base: LayerId): void {
  database.run(
    'INSERT OR REPLACE INTO differences (id, base, sum) VALUES (?, ?, ?)',
    ...[id, base, sumOf(id, base)],
  )
}
