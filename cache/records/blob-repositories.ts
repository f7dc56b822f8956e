import type { Digest } from '#core'
import { isNoSpace } from '../filesystem/failure.ts'
import type { Database } from './database.ts'
import type { RepositoryName } from './result-cache.ts'

/** Finer would mean a write for every blob of every push. */
const SEEN_MILLISECONDS = 24 * 3_600_000

/** What is found of one blob. */
const MOST_FOUND = 4
/** Sightings that are kept, of some 300 bytes. */
const MOST_KEPT = 10_000

const FIND = `SELECT repository FROM repositories WHERE digest = ? AND registry = ?
  ORDER BY id DESC LIMIT ${MOST_FOUND}`
/** A row that is replaced gets the highest id. */
const ADD = `INSERT OR REPLACE INTO repositories (digest, registry, repository, seen)
  SELECT ?, ?, ?, ? WHERE NOT EXISTS (
    SELECT 1 FROM repositories WHERE digest = ? AND registry = ? AND repository = ? AND seen > ?)`
const FORGET = 'DELETE FROM repositories WHERE digest = ? AND registry = ? AND repository = ?'
const SHRINK = `DELETE FROM repositories WHERE id <= (SELECT max(id) FROM repositories) - ${MOST_KEPT}`

/**
 * Which repositories of registries have which blobs, as it was seen: for pushes, which have blobs mounted
 * instead of sending them. A process that neither pushes nor pulls asks nothing of it. See docs/adr/0053
 */
export class BlobRepositories {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Repositories of a registry in which a blob was: the four that were seen last, the latest first. */
  find(registry: string, digest: Digest): readonly string[] {
    const rows = this.#database.all(FIND, digest, registry)
    return rows.map(({ repository }) => String(repository))
  }

  /** Records that a repository has a blob, to the day. */
  add({ registry, repository }: RepositoryName, digest: Digest): void {
    const row = [digest, registry, repository]
    const now = Date.now()
    unlessFull(() => {
      const added = this.#database.run(ADD, ...row, now, ...row, now - SEEN_MILLISECONDS)
      if (added > 0) this.#database.run(SHRINK)
    })
  }

  forget({ registry, repository }: RepositoryName, digest: Digest): void {
    unlessFull(() => this.#database.run(FORGET, digest, registry, repository))
  }
}

/** A push needs no space on the disk otherwise, and must not fail for what may be forgotten. */
function unlessFull(write: () => void): void {
  try {
    write()
  } catch (cause) {
    if (!isNoSpace(cause)) throw cause
  }
}
