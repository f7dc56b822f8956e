import { Buffer } from 'node:buffer'
import { Checksum, type ContentSink } from '#builder/tree'
import { type Digest, digestOf, type FileStat, ioError, type Name, type Tree } from '#core'
import type { DraftEntry } from './overlay-draft.ts'
import { shown } from './paths.ts'
import { emptyFile, isProgram, type Selected, type SelectedEntry } from './select.ts'

/** What counts of a regular file beside its name, type, mode and owner. */
export interface FileContent {
  readonly digest: Digest
  /** `undefined` where none would count, so that they were not read. */
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined
}

/** A regular file of a source. */
export interface SourceFile {
  readonly tree: Tree
  readonly path: Name
  readonly stat: FileStat
  /** It is a program, or may become one: only a program's capability means anything. */
  readonly mayRun: boolean
}

/** The regular file of a selected entry. */
export function sourceFile({ tree, changesModes }: Selected, entry: SelectedEntry): SourceFile {
  const { path, stat } = entry
  return { tree, path, stat, mayRun: changesModes || isProgram(stat) }
}

/** One selected entry, and what was read of it already while it was copied. */
export interface ContentEntry {
  readonly selected: Selected
  readonly entry: SelectedEntry
  readonly copied?: DraftEntry | undefined
}

const NOTHING = digestOf(new Uint8Array())

/**
 * Digests of what was selected, one for each, in the order in which they are copied: the entries of
 * one follow each other. Yields after every entry.
 */
export function* digestingContent(
  entries: Iterable<ContentEntry>,
  read: (entry: ContentEntry) => FileContent,
): Generator<void, readonly Digest[]> {
  const checksums: Checksum[] = []
  let last: Selected | undefined
  for (const content of entries) {
    if (content.selected !== last) checksums.push(new Checksum())
    last = content.selected
    const checksum = checksums.at(-1)
    if (checksum !== undefined) addContent(checksum, content, read)
    yield
  }
  return checksums.map((checksum) => checksum.digest())
}

/** Digest of what actions select, where all of it is one directory; see `ContentSink`. */
export function contentOfText(text: string): Digest {
  return digestSelections([digestOf(Buffer.from(text, 'latin1'))])
}

/** Digest of everything that was selected. */
export function digestSelections(digests: readonly Digest[]): Digest {
  return digestOf(JSON.stringify(digests))
}

/**
 * Adds one entry. The names of selected files count, those of selected directories do not; neither do
 * their modes and owners, because only what is in them is copied.
 */
export function addContent(
  sink: ContentSink,
  content: ContentEntry,
  read: (entry: ContentEntry) => FileContent,
): void {
  const { selected, entry, copied } = content
  const { stat, path } = entry
  const isTop = entry.name === ''
  if (isTop) sink.begin(stat.type === 'directory' ? 'directory' : 'other')
  if (isTop && stat.type === 'directory') return
  const { tree } = selected
  const name: Name = isTop ? selected.base : entry.name
  if (stat.type === 'file') {
    const { digest, xattrs } = readFile(content, read)
    sink.add({ name, stat, xattrs, data: digest })
  } else if (stat.type === 'socket') {
    sink.add({ name, stat: emptyFile(stat), data: NOTHING })
  } else if (stat.type === 'symlink') {
    sink.add({ name, stat, target: copied?.target ?? tree.readlink(path) })
  } else sink.add({ name, stat })
}

/** The attributes that count of a selected file, as they were copied or as they are. */
export function attributesOf(
  { tree, path, mayRun }: SourceFile,
  copied?: DraftEntry,
): FileContent['xattrs'] {
  return mayRun ? (copied?.xattrs ?? tree.xattrs(path)) : undefined
}

function readFile(content: ContentEntry, read: (entry: ContentEntry) => FileContent): FileContent {
  try {
    return read(content)
  } catch (cause) {
    throw ioError(`read ${JSON.stringify(shown(content.entry.path))}`, cause)
  }
}
