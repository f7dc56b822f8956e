import type { Digest } from '#core'
import { isNoSpace } from '../filesystem/failure.ts'
import type { Database } from './database.ts'
import type { RepositoryName } from './result-cache.ts'

/** Finer would mean a write for every blob of every push. */
const SEEN_MILLISECONDS = 3_600_000

/** What is found of one blob. */
const MOST_FOUND = 4
/** Rows that are kept, of some 150 bytes. */
const MOST_KEPT = 20_000

const FIND = `SELECT repository FROM repositories WHERE digest = ? AND registry = ?
  ORDER BY seen DESC, repository LIMIT ${MOST_FOUND}`
const ADD = `INSERT INTO repositories (digest, registry, repository, seen) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET seen = excluded.seen WHERE excluded.seen - seen >= ${SEEN_MILLISECONDS}`
const FORGET = 'DELETE FROM repositories WHERE digest = ? AND registry = ? AND repository = ?'
const COUNT = 'SELECT count(*) AS count FROM repositories'
/** A quarter goes at a time, so that this is done seldom. */
const SHRINK = `DELETE FROM repositories WHERE seen <=
  (SELECT seen FROM repositories ORDER BY seen DESC LIMIT 1 OFFSET ${(MOST_KEPT * 3) / 4})`

/**
 * Which repositories of registries have which blobs, as it was seen: for pushes, which have blobs mounted
 * instead of sending them. A process that neither pushes nor pulls asks nothing of it. See docs/adr/0053
 */
export class BlobRepositories {
  readonly #database: Database
  #isLookedAfter = false

  constructor(database: Database) {
    this.#database = database
  }

  /** Repositories of a registry in which a blob was: the four that were seen last, the latest first. */
  find(registry: string, digest: Digest): readonly string[] {
    const rows = this.#database.all(FIND, digest, registry)
    return rows.map(({ repository }) => String(repository))
  }

  /** Records that a repository has a blob, to the hour. */
  add({ registry, repository }: RepositoryName, digest: Digest): void {
    unlessFull(() => {
      this.#keepBounded()
      this.#database.run(ADD, digest, registry, repository, Date.now())
    })
  }

  forget({ registry, repository }: RepositoryName, digest: Digest): void {
    unlessFull(() => this.#database.run(FORGET, digest, registry, repository))
  }

  /** Once a process, which adds some hundred at the most. */
  #keepBounded(): void {
    if (this.#isLookedAfter) return
    this.#isLookedAfter = true
    if (Number(this.#database.get(COUNT)?.count) > MOST_KEPT) this.#database.run(SHRINK)
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
