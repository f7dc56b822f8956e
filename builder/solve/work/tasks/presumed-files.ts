import { addOwnedFile, type Change, NO_OWNED_FILES, type OwnedFiles } from '#core'

/** Collects the files among changes whose owners are presumed. */
export class PresumedFiles {
  #files = NO_OWNED_FILES

  /** `undefined` when there were none. */
  get found(): OwnedFiles | undefined {
    return this.#files.count === 0 ? undefined : this.#files
  }

  /** The changes as they are; each is looked at when it is taken. */
  *among(changes: Iterable<Change>): Generator<Change> {
    for (const change of changes) {
      if (change.kind === 'entry' && change.stat.isOwnerPresumed === true) {
        this.#files = addOwnedFile(this.#files, change.path, change.stat)
      }
      yield change
    }
  }
}
