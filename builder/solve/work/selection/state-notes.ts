import { contentOfText } from '#builder/files'
import type { Digest, Name } from '#core'
import { writeCopiedState } from './copied-state.ts'
import type { SelectionState } from './selection-state.ts'

/** A file of `writeCopiedState`. */
export interface NotedState {
  /** Of what is selected, and how. */
  readonly selection: Digest
  /** Of the file. */
  readonly digest: Digest
}

/** Where it is noted, and of what kind of copy. */
export interface StatePlace {
  /** A file to create; `undefined` where nothing is noted. */
  readonly path: string | undefined
  /** As in `CopiedState`. */
  readonly basis: Digest
}

/** Notes what a context is like, and what is copied of it. */
export class StateNotes {
  readonly #found: SelectionState
  readonly #place: StatePlace
  #text = ''

  /** @param found how the context is before anything of it is read */
  constructor(found: SelectionState, place: StatePlace) {
    this.#found = found
    this.#place = place
  }

  /** Gets what is digested of a directory that is copied. */
  readonly onText = (text: string): void => {
    this.#text += text
  }

  /**
   * @param content of what was copied; a text that does not tell it is not kept
   * @param differing what the layer of which the state is noted has otherwise, or folders of what only that one has
   */
  write(content: Digest, differing: readonly Name[] = []): NotedState | undefined {
    const { recent } = this.#found
    if (recent === undefined || contentOfText(this.#text) !== content) return undefined
    // It counts as changed.
    const found = { ...this.#found, recent: [...recent, ...differing] }
    return noteState(found, this.#text, this.#place)
  }
}

/** Notes what a context is like of which the text is known. */
export function noteState(
  { selection, folders, recent }: SelectionState,
  text: string,
  { path, basis }: StatePlace,
): NotedState | undefined {
  if (path === undefined || recent === undefined) return undefined
  const digest = writeCopiedState(path, { selection, basis, recent, folders, text })
  return digest && { selection, digest }
}
