import { join } from 'node:path'
import { omitUnchanged } from '#builder/layer'
import { digestFile } from '#builder/tree'
import { type Change, type Digest, type Name, type Tree, unreachable } from '#core'
import type { CopyAction, FileAction, MkdirAction, WriteAction } from './action.ts'
import { detectArchive, unpackArchive } from './archive.ts'
import { parseChmod } from './chmod.ts'
import {
  attributesOf,
  type ContentEntry,
  digestingContent,
  digestSelections,
  type FileContent,
  type SourceFile,
  sourceFile,
} from './content.ts'
import { type CopyOptions, copySelected, placeDeferred } from './copy.ts'
import { DeferredCopy, type DeferredOptions } from './deferred.ts'
import { makeDirectories, type NewDirectory } from './directories.ts'
import { finished } from './finished.ts'
import { OverlayDraft } from './overlay-draft.ts'
import { type Ids, ROOT_IDS, resolveOwner } from './owner.ts'
import { belowRoot } from './paths.ts'
import { entriesOf, type Selected, select } from './select.ts'
import { mergeArchive } from './unpack.ts'
import { writeFile } from './write.ts'

/** What `runFileActions` works on. */
export interface FilesOptions {
  /** The file system that is copied into, all its layers merged. */
  readonly root: Tree
  readonly sources: readonly Tree[]
  /** An existing empty folder for unpacked archives, on the host. The caller removes it. */
  readonly temporary: string
  /** Of directories and heredoc files that are made, in milliseconds. */
  readonly mtimeMs: number
  readonly onWarning?: (message: string) => void
  /** The digest of a file's content, where it is known without reading that: then it may not be wanted. */
  readonly knownDigest?: ((file: SourceFile) => Digest | undefined) | undefined
  /** Called with the content of every selected file. */
  readonly onContent?: (file: SourceFile, content: FileContent) => void
  /** Gets what is digested of the directory that `only` tells. */
  readonly onText?: ((text: string) => void) | undefined
}

/**
 * A layer to be. Its content is read from the sources, which stay open until it is written; to
 * dispose of it closes what was unpacked.
 */
export interface FilesResult extends Disposable {
  /** To be walked once. */
  readonly changes: Iterable<Change>
  /** To be called with every file that was written, before the next change is taken. */
  readonly onFile: (path: Name, digest: Digest) => void
  /**
   * What `checksumFileActions` gives as `content`, from digests that `onFile` got while the layer
   * was written; other files are read.
   */
  contentDigest(): Digest
  /** Where nothing is selected but one directory: that, and where its content goes. */
  readonly only: { readonly from: Name; readonly to: Name } | undefined
}

const DIRECTORY_MODE = 0o755

/** The state of one call of `runFileActions`. */
interface Run {
  readonly options: FilesOptions
  readonly draft: OverlayDraft
  readonly content: ContentEntry[]
  readonly unpacked: Tree[]
  /** What is copied last, where that can wait until the layer is written. */
  deferred: DeferredCopy | undefined
}

/**
 * What COPY, ADD and WORKDIR change in a file system. Nothing is written but unpacked archives, into
 * the temporary folder.
 * @throws {TsbuildError} NOT_FOUND for a missing source or owner, STEP_FAILED when a file is where a
 * directory has to be or the other way round, DOCKERFILE_INVALID for a bad mode
 */
export async function runFileActions(
  actions: readonly FileAction[],
  options: FilesOptions,
): Promise<FilesResult> {
  const draft = new OverlayDraft(options.root)
  const run: Run = { options, draft, content: [], unpacked: [], deferred: undefined }
  try {
    for (const [index, action] of actions.entries()) {
      await perform(run, action, { isLast: index === actions.length - 1 })
    }
    return resultOf(run)
  } catch (cause) {
    close(run)
    throw cause
  }
}

/** Where an action stands among those of its step. */
interface ActionPosition {
  readonly isLast: boolean
}

async function perform(run: Run, action: FileAction, position: ActionPosition): Promise<void> {
  switch (action.kind) {
    case 'mkdir':
      makeDirectory(run, action)
      return
    case 'copy':
      await copy(run, action, position)
      return
    case 'write':
      write(run, action)
      return
    default:
      unreachable(action)
  }
}

function makeDirectory({ draft, options }: Run, action: MkdirAction): void {
  const path = draft.resolve(belowRoot(action.path))
  // A directory that is there needs no owner, not even one that exists.
  if (draft.lstat(path)?.type === 'directory') return
  const owner = ownerOf(action, options.root) ?? ROOT_IDS
  makeDirectories(draft, path, { ...owner, mode: action.mode, mtimeMs: options.mtimeMs })
}

function write({ draft, options }: Run, action: WriteAction): void {
  const owner = ownerOf(action, options.root)
  const chmod = action.chmod === undefined ? undefined : parseChmod(action.chmod)
  const created = createdWith(options, owner, chmod?.created)
  writeFile(draft, action, { created, chmod })
}

async function copy(run: Run, action: CopyAction, { isLast }: ActionPosition): Promise<void> {
  const { draft, content, options } = run
  const owner = ownerOf(action, options.root)
  const chmod = action.chmod === undefined ? undefined : parseChmod(action.chmod)
  const created = createdWith(options, owner, chmod?.created)
  const onCopied: CopyOptions['onCopied'] = () => undefined
  const { knownDigest } = options
  const copyOptions = { created, owner, chmod, knownDigest, onCopied }
  const selections = select(action, options)
  for (const [index, selected] of selections.entries()) {
    const place = { selected, destination: action.destination }
    if (action.unpack === 'auto' && (await unpack(run, selected, { action, owner }))) {
      for (const entry of entriesOf(selected)) content.push({ selected, entry })
      continue
    }
    const path =
      isLast && index === selections.length - 1
        ? placeDeferred(draft, place, copyOptions)
        : undefined
    if (path !== undefined) {
      const record: DeferredOptions['recordContent'] = (entry, digest) =>
        recordContent(entry, digest, options)
      run.deferred = new DeferredCopy(
        draft,
        { selected, path },
        {
          copy: copyOptions,
          recordContent: record,
          onText: options.onText,
        },
      )
      continue
    }
    copySelected(draft, place, {
      ...copyOptions,
      onCopied: (entry, copied) => content.push({ selected, entry, copied }),
    })
  }
}

/** False when `selected` is not an archive. */
async function unpack(
  { draft, options, unpacked }: Run,
  selected: Selected,
  { action, owner }: { readonly action: CopyAction; readonly owner: Ids | undefined },
): Promise<boolean> {
  const compression = await detectArchive(selected)
  if (compression === undefined) return false
  const archive = await unpackArchive(selected, compression, {
    directory: join(options.temporary, String(unpacked.length)),
    onWarning: options.onWarning,
  })
  unpacked.push(archive.tree)
  const destination = draft.resolve(belowRoot(action.destination))
  const created = createdWith(options, owner, undefined)
  mergeArchive(draft, { archive, destination }, { created, owner })
  return true
}

function ownerOf({ owner }: FileAction, root: Tree): Ids | undefined {
  return owner === undefined ? undefined : resolveOwner(owner, root)
}

function createdWith(
  { mtimeMs }: FilesOptions,
  owner: Ids | undefined,
  mode: number | undefined,
): NewDirectory {
  return { ...(owner ?? ROOT_IDS), mode: mode ?? DIRECTORY_MODE, mtimeMs }
}

function resultOf(run: Run): FilesResult {
  const { draft, content, deferred, options } = run
  const digests = new Map<Name, Digest>()
  const onFile: FilesResult['onFile'] = (path, digest) => {
    // What is remembered is what was copied before; only that is looked up.
    if (content.length > 0) digests.set(path, digest)
    deferred?.onFile(path, digest)
  }
  return {
    changes: omitUnchanged(draft.changes(deferred), options.root, onFile),
    onFile,
    only:
      deferred === undefined || content.length > 0
        ? undefined
        : { from: deferred.source, to: deferred.path },
    contentDigest: () => {
      const digesting = digestingContent(content, (file) => {
        const { selected, entry, copied } = file
        const path = copied === undefined ? undefined : draft.contentPath(copied)
        const known = path === undefined ? undefined : digests.get(path)
        return recordContent(
          file,
          known ?? digestFile(() => selected.tree.openFile(entry.path)),
          options,
        )
      })
      const all = finished(digesting)
      return digestSelections(deferred === undefined ? all : [...all, deferred.content()])
    },
    [Symbol.dispose]: () => close(run),
  }
}

/** The content of a selected file with this digest; it is reported to `onContent`. */
function recordContent(
  { selected, entry, copied }: ContentEntry,
  digest: Digest,
  { onContent }: FilesOptions,
): FileContent {
  const file = sourceFile(selected, entry)
  const content = { digest, xattrs: attributesOf(file, copied) }
  onContent?.(file, content)
  return content
}

function close({ unpacked }: Run): void {
  for (const tree of unpacked.splice(0)) tree.close()
}
