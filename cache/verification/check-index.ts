import { lock } from '../filesystem/file-lock.ts'
import { readIfThere } from '../filesystem/layout.ts'
import { replaceFile } from '../filesystem/replace-file.ts'
import { writtenIndex } from '../image-names.ts'
import type { Finding } from './finding.ts'
import type { StoreAudit } from './store-audit.ts'

/** Characters. Another program that changes a name writes the whole file in its own way. */
const MOST_FLIPPED = 4

/**
 * Whether some characters of the index are not those that were written here last: a name or a digest may be
 * another one by a flipped bit, and the index a sound document nevertheless.
 */
export function checkIndex({ layout, presence, database }: StoreAudit): readonly Finding[] {
  const found = readIfThere(layout.index)
  const written = writtenIndex(database)
  if (found === undefined || written === undefined || found.length !== written.length) return []
  const differing = [...found].filter((character, at) => character !== written[at]).length
  if (differing === 0 || differing > MOST_FLIPPED) return []
  const repair = async (): Promise<void> => {
    using _ = await lock(layout.lock)
    if (readIfThere(layout.index) === found) {
      replaceFile(layout.index, written, { layout, presence })
    }
  }
  return [
    {
      severity: 'damage',
      subject: 'index.json',
      problem: `differs from what was written in ${differing} characters: a name may lead to nothing`,
      remedy: 'writes it anew',
      repair,
    },
  ]
}
