import { join } from 'node:path'
import { digestFile } from '#builder/context'
import { type Change, type Digest, type FileStat, type Name, type Tree, unreachable } from '#core'
import type { CopyAction, FileAction, MkdirAction, WriteAction } from './action.ts'
import { detectArchive, unpackArchive } from './archive.ts'
import { parseChmod } from './chmod.ts'
import { type ContentEntry, digestContent } from './content.ts'
import { copySelected } from './copy.ts'
import { makeDirectories, type NewDirectory } from './directories.ts'
import { type Ids, ROOT_IDS, resolveOwner } from './owner.ts'
import { belowRoot } from './paths.ts'
import { entriesOf, type Selected, select } from './select.ts'
import { Target } from './target.ts'
import { mergeArchive } from './unpack.ts'
import { writeFile } from './write.ts'

export interface FilesOptions {
  /** The file system that is copied into, all its layers merged. */
  readonly root: Tree
  readonly sources: readonly Tree[]
  /** An existing empty folder for unpacked archives, on the host. The caller removes it. */
  readonly temporary: string
  /** mtime of directories and heredoc files that are made, in milliseconds. */
  readonly now: number
  readonly onWarning?: (message: string) => void
}

/**
 * A layer to be. Its content is read from the sources, which stay open until it is written; to
 * dispose of it closes what was unpacked.
 */
export interface FilesResult extends Disposable {
  readonly changes: readonly Change[]
  /**
   * What `checksumFileActions` gives as `content`, from digests that were learnt while the layer
   * was written; files that `digestOf` does not know are read.
   * @param onFile told the digest of every selected file, by its path in the source
   */
  contentDigest(
    digestOf: (path: Name) => Digest | undefined,
    onFile?: (path: Name, stat: FileStat, digest: Digest) => void,
  ): Digest
}

const DIRECTORY_MODE = 0o755

/** The state of one call of `runFileActions`. */
interface Run {
  readonly options: FilesOptions
  readonly target: Target
  readonly content: ContentEntry[]
  readonly unpacked: Tree[]
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
  const run: Run = { options, target: new Target(options.root), content: [], unpacked: [] }
  try {
    for (const action of actions) await perform(run, action)
    return resultOf(run)
  } catch (cause) {
    close(run)
    throw cause
  }
}

async function perform(run: Run, action: FileAction): Promise<void> {
  switch (action.kind) {
    case 'mkdir':
      makeDirectory(run, action)
      return
    case 'copy':
      await copy(run, action)
      return
    case 'write':
      write(run, action)
      return
    default:
      unreachable(action)
  }
}

function makeDirectory({ target, options }: Run, action: MkdirAction): void {
  const path = target.resolve(belowRoot(action.path))
  // A directory that is there needs no owner, not even one that exists.
  if (target.lstat(path)?.type === 'directory') return
  const owner = ownerOf(action, options.root) ?? ROOT_IDS
  makeDirectories(target, path, { ...owner, mode: action.mode, mtimeMs: options.now })
}

function write({ target, options }: Run, action: WriteAction): void {
  const owner = ownerOf(action, options.root)
  const chmod = action.chmod === undefined ? undefined : parseChmod(action.chmod)
  const created = createdWith(options, owner, chmod?.created)
  writeFile(target, action, { created, chmod })
}

async function copy(run: Run, action: CopyAction): Promise<void> {
  const { target, content, options } = run
  const { onWarning } = options
  const owner = ownerOf(action, options.root)
  const chmod = action.chmod === undefined ? undefined : parseChmod(action.chmod)
  const created = createdWith(options, owner, chmod?.created)
  for (const selected of select(action, options)) {
    if (action.unpack === 'auto' && (await unpack(run, selected, { action, owner }))) {
      for (const entry of entriesOf(selected)) content.push({ selected, entry })
      continue
    }
    copySelected(
      target,
      { selected, destination: action.destination },
      {
        created,
        owner,
        chmod,
        onWarning,
        onCopied: (entry, copied) => content.push({ selected, entry, copied }),
      },
    )
  }
}

/** False when `selected` is no archive. */
async function unpack(
  { target, options, unpacked }: Run,
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
  const destination = target.resolve(belowRoot(action.destination))
  const created = createdWith(options, owner, undefined)
  mergeArchive(target, { archive, destination }, { created, owner })
  return true
}

function ownerOf({ owner }: FileAction, root: Tree): Ids | undefined {
  return owner === undefined ? undefined : resolveOwner(owner, root)
}

function createdWith(
  { now }: FilesOptions,
  owner: Ids | undefined,
  mode: number | undefined,
): NewDirectory {
  return { ...(owner ?? ROOT_IDS), mode: mode ?? DIRECTORY_MODE, mtimeMs: now }
}

function resultOf(run: Run): FilesResult {
  const { changes, contentPath } = run.target.changes()
  return {
    changes,
    contentDigest: (digestOf, onFile) =>
      digestContent(run.content, ({ selected, entry, copied }) => {
        const path = copied === undefined ? undefined : contentPath(copied)
        const known = path === undefined ? undefined : digestOf(path)
        const digest = known ?? digestFile(() => selected.tree.openFile(entry.path))
        onFile?.(entry.path, entry.stat, digest)
        return digest
      }),
    [Symbol.dispose]: () => close(run),
  }
}

function close({ unpacked }: Run): void {
  for (const tree of unpacked.splice(0)) tree.close()
}
