import { Checksum, digestFile } from '#builder/tree'
import { baseOf, type Change, type Digest, joinName, type Name, parentOf } from '#core'
import { addContent, type ContentEntry, type FileContent } from './content.ts'
import { type CopyOptions, directoryStatOf, entryOf, refuseFile } from './copy.ts'
import { refuseDirectory } from './directories.ts'
import {
  type DraftEntry,
  type LowerContent,
  type OverlayDraft,
  refuseWhiteout,
  toChange,
} from './overlay-draft.ts'
import { entriesOf, type Selected, type SelectedEntry } from './select.ts'

/** How a deferred copy changes entries, and where it reports their content. */
export interface DeferredOptions {
  readonly copy: CopyOptions
  /** Called with the digest of every file as soon as it is known; returns the file's content. */
  readonly recordContent: (file: ContentEntry, digest: Digest) => FileContent
  /** Gets what is digested of all that is copied. */
  readonly onText: ((text: string) => void) | undefined
}

/**
 * The content of a directory, copied to a place where nothing was written before. It is walked while
 * the layer is written, and its checksum is taken at the same time, so that nothing of a file has to
 * be remembered but where it is, when it has several names.
 */
export class DeferredCopy implements LowerContent {
  readonly path: Name
  readonly #selected: Selected
  readonly #draft: OverlayDraft
  readonly #options: DeferredOptions
  readonly #existing: ExistingNames
  #content: Digest | undefined
  /** Of the file that was written last. */
  #written: { readonly path: Name; readonly digest: Digest } | undefined

  constructor(
    draft: OverlayDraft,
    place: { readonly selected: Selected; readonly path: Name },
    options: DeferredOptions,
  ) {
    this.path = place.path
    this.#selected = place.selected
    this.#draft = draft
    this.#options = options
    this.#existing = new ExistingNames(draft)
  }

  /** The directory that is copied, in its tree. */
  get source(): Name {
    return this.#selected.path
  }

  /** To be called with every file that was written, before the next change is taken. */
  onFile(path: Name, digest: Digest): void {
    this.#written = { path, digest }
  }

  /** Digest of what was selected. Without a walk before, it is read for it. */
  content(): Digest {
    if (this.#content === undefined) for (const change of this.changes()) void change
    if (this.#content === undefined) throw new Error('a walk ends with its digest')
    return this.#content
  }

  *changes(): Generator<Change> {
    const selected = this.#selected
    const checksum = new Checksum(this.#options.onText)
    const links = new Map<string, symbol>()
    const firsts = new Map<symbol, { readonly path: Name; digest: Digest | undefined }>()
    // Of a file whose digest is known the content may not be wanted.
    const opens = this.#options.copy.knownDigest === undefined
    for (const entry of entriesOf(selected, { opens })) {
      const path = joinName(this.path, entry.name)
      const copied = entry.name === '' ? undefined : this.#entryAt(path, entry, links)
      const first = copied?.link === undefined ? undefined : firsts.get(copied.link)
      if (copied !== undefined) {
        this.#written = undefined
        yield first === undefined
          ? toChange(path, copied)
          : { kind: 'entry', path, stat: copied.stat, hardlink: first.path }
      }
      addContent(checksum, { selected, entry, copied }, () => {
        const digest = first?.digest ?? this.#digestOf(entry, path)
        if (copied?.link !== undefined)
          firsts.set(copied.link, { path: first?.path ?? path, digest })
        return this.#options.recordContent({ selected, entry, copied }, digest)
      })
    }
    this.#content = checksum.digest()
  }

  #digestOf(entry: SelectedEntry, path: Name): Digest {
    if (this.#written?.path === path) return this.#written.digest
    return digestFile(() => this.#selected.tree.openFile(entry.path))
  }

  #entryAt(path: Name, entry: SelectedEntry, links: Map<string, symbol>): DraftEntry {
    const { copy } = this.#options
    const hasName = this.#existing.has(path)
    const existing = hasName ? this.#draft.lstat(path) : undefined
    if (entry.stat.type === 'directory') {
      refuseFile(this.#draft, { existing, path })
      refuseWhiteout(path, entry.stat)
      return { stat: directoryStatOf(entry, existing, copy) }
    }
    refuseDirectory(existing, path, entry.stat)
    refuseWhiteout(path, entry.stat)
    return entryOf({ selected: this.#selected, entry, to: path, links }, copy)
  }
}

/** The names that the root has, of the directories on the way to where a walk is. */
class ExistingNames {
  readonly #draft: OverlayDraft
  readonly #open: { readonly path: Name; readonly names: ReadonlySet<Name> }[] = []

  constructor(draft: OverlayDraft) {
    this.#draft = draft
  }

  has(path: Name): boolean {
    const parent = parentOf(path)
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      if (last.path === parent) return last.names.has(baseOf(path))
      if (last.path === '' || parent.startsWith(`${last.path}/`)) break
      this.#open.pop()
    }
    const above = this.#open.at(-1)
    const isNew = above !== undefined && above.names.size === 0
    const names = isNew ? above.names : this.#draft.namesIn(parent)
    this.#open.push({ path: parent, names })
    return names.has(baseOf(path))
  }
}
