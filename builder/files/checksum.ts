import { type ContentRecord, ContentRecords } from '#builder/tree'
import type { Digest, Name, Tree } from '#core'
import type { FileAction } from './action.ts'
import {
  addContent,
  type ContentEntry,
  digestingContent,
  digestSelections,
  type FileContent,
  type SourceFile,
  sourceFile,
} from './content.ts'
import { finished } from './finished.ts'
import { ownersDigest } from './owner.ts'
import { entriesOf, select } from './select.ts'

/** What actions read from; `read` gives the content of a regular file. */
export interface FilesInput {
  readonly root: Tree
  readonly sources: readonly Tree[]
  readonly read: (file: SourceFile) => FileContent
}

/** What a cache key has to say of the files that actions read. */
export interface FilesChecksum {
  /** Of the selected source entries, in the order of the actions; nothing of the destination. */
  readonly content: Digest
  /** Of the root's passwd and group files, when an owner is given by name. */
  readonly passwd?: Digest
}

/**
 * What the actions read, without doing them: the part of a step's cache key that its text does not
 * say. Times do not count.
 * @throws {TsbuildError} NOT_FOUND for a missing source
 */
export function checksumFileActions(
  actions: readonly FileAction[],
  input: FilesInput,
): FilesChecksum {
  return finished(checksumming(actions, input))
}

/** Like `checksumFileActions`, a piece at a time: yields after every entry. */
export function* checksumming(
  actions: readonly FileAction[],
  { root, sources, read }: FilesInput,
): Generator<void, FilesChecksum> {
  const digests = yield* digestingContent(contentOf(actions, sources), ({ selected, entry }) =>
    read(sourceFile(selected, entry)),
  )
  const content = digestSelections(digests)
  const passwd = ownersDigest(actions, root)
  return passwd === undefined ? { content } : { content, passwd }
}

function* contentOf(
  actions: readonly FileAction[],
  sources: readonly Tree[],
): Generator<ContentEntry> {
  for (const action of actions) {
    if (action.kind !== 'copy') continue
    for (const selected of select(action, { sources })) {
      for (const entry of entriesOf(selected)) yield { selected, entry }
    }
  }
}

/** What counts of a directory. */
export interface ListedContent {
  /** The directory. */
  readonly path: Name
  /** Of what is listed in it, in the order of a walk. */
  readonly records: readonly ContentRecord[]
}

/**
 * What counts of the one directory that actions copy from, as far as `source` lists it: a file of another tree is
 * selected by the same actions. `undefined` where they select something else, or more.
 * @throws {TsbuildError} NOT_FOUND
 */
export function listedContent(
  actions: readonly FileAction[],
  source: Tree,
  read: FilesInput['read'],
): ListedContent | undefined {
  const [action, ...others] = actions.filter(({ kind }) => kind === 'copy')
  if (action?.kind !== 'copy' || others.length > 0 || action.paths.length > 1) return undefined
  const [selected] = select(action, { sources: [source] })
  if (selected?.stat.type !== 'directory') return undefined
  const sink = new ContentRecords()
  for (const entry of entriesOf(selected)) {
    addContent(sink, { selected, entry }, (file) => read(sourceFile(file.selected, file.entry)))
  }
  return { path: selected.path, records: sink.records }
}
