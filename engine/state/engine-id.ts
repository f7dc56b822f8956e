import { randomUUID } from 'node:crypto'
import type { Documents } from './documents.ts'

/** The id of the engine of a store, which stays: the first one that is asked for makes it. */
export function engineId(documents: Documents<{ readonly id: string }>): string {
  const [known] = documents.all()
  if (known !== undefined) return known.id
  const made = { id: randomUUID() }
  documents.put(made)
  return made.id
}
