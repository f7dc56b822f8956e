import { closeSync, createReadStream, mkdirSync, openSync } from 'node:fs'
import {
  attributesOf,
  checksumFileActions,
  type FileAction,
  type FileContent,
  type FilesInput,
  runFileActions,
  type SourceFile,
} from '#builder/files'
import {
  type AppliedLayer,
  applyLayer,
  changesOf,
  clampChange,
  clampDirectory,
  clampTar,
  decompress,
  mergeLayers,
  type Owners,
  ownersBeside,
  presumeOwners,
  type Ring,
  readRing,
  removeOthers,
  restoreOwners,
  stackTree,
  treeChanges,
  writeFiles,
  writeLayer,
} from '#builder/layer'
import { hasSingleId } from '#builder/linux'
import { digestFile, directoryTree } from '#builder/tree'
import { type FileDigests, openFileDigests } from '#cache'
import {
  asDiffId,
  type Bytes,
  type Change,
  type Compression,
  type DiffId,
  type Digest,
  Digester,
  joinName,
  type Name,
  nameOf,
  type OwnedFiles,
  type Tree,
  TsbuildError,
} from '#core'
import { parseDockerignore } from '#parser'
import { PresumedFiles } from './presumed-files.ts'

/** A file tree by its place on disk: this is what crosses threads. */
export type TreeSpec =
  | {
      readonly kind: 'context'
      readonly directory: string
      /** Text of the `.dockerignore`; empty without one. */
      readonly ignore: string
      /** See `DirectoryTreeOptions`. */
      readonly modes?: 'kept' | 'git'
      /** It goes with the build, so what is learnt about its files is not kept. */
      readonly transient?: boolean
    }
  /** Directories in overlay form, topmost first. */
  | { readonly kind: 'layers'; readonly directories: readonly string[] }

export interface FilesTask {
  readonly actions: readonly FileAction[]
  readonly root: TreeSpec
  readonly sources: readonly TreeSpec[]
  /** The store's root: file digests are kept there, and no context has it. */
  readonly store: string
}

export interface CopyTask extends FilesTask {
  readonly temporary: string
  readonly tar: string | undefined
  /** Gets the tar, too. */
  readonly reader: Ring | undefined
  readonly directory: string | undefined
  readonly now: number
  /** No entry is newer; milliseconds. */
  readonly latest: number | undefined
}

export interface CopiedFiles {
  readonly content: Digest
  readonly diffId: DiffId | undefined
  readonly size: number | undefined
  readonly presumed: OwnedFiles | undefined
  readonly warnings: readonly string[]
}

export interface SizedLayer {
  readonly diffId: DiffId
  readonly size: number
  /** Files whose owners are presumed; absent when there are none. */
  readonly presumed: OwnedFiles | undefined
}

export interface PackTask {
  readonly directory: string
  /** What it lies on, topmost first. Absent: not known, and its deletions and opaque marks all count. */
  readonly lowers: readonly string[] | undefined
  readonly tar: string
}

/** The other end of a copy. */
export interface FillTask {
  readonly tar: Ring
  readonly directory: string
}

export interface FilledDirectory {
  readonly diffId: DiffId
  readonly size: number
  readonly warnings: readonly string[]
}

/** What a step has left. */
export interface LeftTask {
  readonly directory: string
  /** What it lies on, topmost first. */
  readonly lowers: readonly string[]
}

/** A file that holds a layer, or claims to. */
export interface BlobTask {
  readonly blob: string
  readonly compression: Compression
  readonly diffId: DiffId
}

export interface ApplyTask extends BlobTask {
  readonly directory: string
  /** Absent: try without them first. */
  readonly lowers: readonly string[] | undefined
}

export interface MergeTask {
  /** In overlay form, topmost first. */
  readonly directories: readonly string[]
  /** To be made. */
  readonly directory: string
}

export interface UnpackTask {
  /** Each goes to a folder of the destination; no name: to the destination itself. */
  readonly trees: readonly { readonly directories: readonly string[]; readonly folder: string }[]
  /** A path; for `tar` also a descriptor, which stays open. */
  readonly dest: string | number
  /** `layer`: a directory in overlay form. */
  readonly format: 'local' | 'tar' | 'layer'
  /** `delete`: of what is there already, only what the trees have stays. For `local`. */
  readonly mode?: 'copy' | 'delete'
  /** No entry is newer; milliseconds. */
  readonly latest?: number | undefined
}

/** How much `checksum` may do before it gives up, so that a thread with other duties stays free. */
export interface WorkLimit {
  readonly files: number
  readonly bytes: number
}

/** Thrown by `checksum` when the work exceeds its limit. */
export class LimitExceeded extends Error {}

/** Digest of what the actions select. */
export function checksum(task: FilesTask, limit?: WorkLimit): Digest {
  using trees = openTrees(task)
  const read = limit === undefined ? trees.read : limited(trees.read, limit)
  const { content } = checksumFileActions(task.actions, { ...trees, read })
  return content
}

/** Performs the actions: a layer as tar, as directory or as both, and the digest of what was selected. */
export async function copyFiles(task: CopyTask): Promise<CopiedFiles> {
  using trees = openTrees(task)
  const warnings: string[] = []
  const onWarning = (message: string): void => void warnings.push(message)
  mkdirSync(task.temporary, { mode: 0o700 })
  using result = await runFileActions(task.actions, {
    root: trees.root,
    sources: trees.sources,
    temporary: task.temporary,
    mtimeMs: task.now,
    onWarning,
    onContent: trees.remember,
  })
  const { latest } = task
  // Without a tar the layer still gets a diffID, by which its directory is checked later.
  using nowhere = openNowhere()
  const presumed = new PresumedFiles()
  const changes = presumed.among(result.changes)
  const written = writeLayer(
    latest === undefined ? changes : clamped(changes, latest),
    {
      tar: task.tar ?? nowhere.descriptor,
      ...(task.reader === undefined ? {} : { reader: task.reader }),
      ...(task.directory === undefined ? {} : { directory: task.directory }),
    },
    { onWarning, onFile: result.onFile, owners: ownersHere() },
  )
  const content = result.contentDigest()
  const { diffId, size } = written
  return { content, diffId, size, presumed: presumed.found, warnings }
}

function* clamped(changes: Iterable<Change>, latest: number): Generator<Change> {
  for (const change of changes) yield clampChange(change, latest)
}

export interface ClampTask {
  readonly directory: string
  readonly latest: number
}

/** Makes nothing in a layer's directory newer than a time. */
export function clampTimes({ directory, latest }: ClampTask): void {
  clampDirectory(directory, latest)
}

export interface RewriteTask {
  readonly tar: string
  /** A file to create. */
  readonly target: string
  readonly latest: number
}

/** Writes a layer's tar again with no entry newer than a time. */
export function rewriteTimes(task: RewriteTask): ReturnType<typeof clampTar> {
  return clampTar(task.tar, task.target, task.latest)
}

/** Makes an overlay directory of a tar that is just being written. */
export async function fillDirectory({ tar, directory }: FillTask): Promise<FilledDirectory> {
  const warnings: string[] = []
  const { diffId, size } = await applyLayer(arriving(tar), directory, {
    lowers: [],
    owners: ownersHere(),
    onWarning: (message) => void warnings.push(message),
  })
  return { diffId, size, warnings }
}

/** Waits without giving the thread to others: it has nothing else to do. */
async function* arriving(ring: Ring): AsyncGenerator<Uint8Array, void, undefined> {
  yield* readRing(ring)
}

/** Turns an overlay directory into a layer's tar. */
export function packLayer(task: PackTask): SizedLayer {
  return packTo(task)
}

/** The digest of what `packLayer` would write. */
export function digestLayer({ directory, lowers }: Omit<PackTask, 'tar'>): SizedLayer {
  using nowhere = openNowhere()
  return packTo({ directory, lowers, tar: nowhere.descriptor })
}

/** For a tar of which only the digest is wanted. */
function openNowhere(): Disposable & { readonly descriptor: number } {
  const descriptor = openSync('/dev/null', 'w')
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) }
}

function packTo(task: Omit<PackTask, 'tar'> & { readonly tar: string | number }): SizedLayer {
  const lower = task.lowers === undefined ? undefined : stackTree(task.lowers)
  try {
    const changes = changesOf(task.directory, lower === undefined ? {} : { lower })
    const { diffId, size } = writeLayer(changes, { tar: task.tar })
    if (diffId === undefined || size === undefined) throw new Error('no tar was written')
    return { diffId, size, presumed: ownersBeside([task.directory], 'presumed') }
  } finally {
    lower?.close()
  }
}

/** Keeps the owners of what lies below with what a step has left. */
export function keepOwners({ directory, lowers }: LeftTask): void {
  presumeOwners(directory, lowers)
}

/** Gives files the owners that were kept beside them. */
export function giveOwners({ directory }: Pick<LeftTask, 'directory'>): void {
  restoreOwners(directory)
}

/** Turns a layer's blob into an overlay directory, and checks that it is the layer it claims to be. */
export async function unpackLayer(task: ApplyTask): Promise<AppliedLayer> {
  const { lowers, diffId } = task
  const applied = await applyLayer(tarOf(task), task.directory, {
    owners: ownersHere(),
    ...(lowers === undefined ? {} : { lowers }),
  })
  checkDiffId(diffId, applied.diffId)
  return applied
}

/** Checks that a blob is the layer it claims to be, without making anything of it. */
export async function checkLayer(task: BlobTask): Promise<void> {
  const digester = new Digester()
  for await (const chunk of tarOf(task)) digester.update(chunk)
  checkDiffId(task.diffId, asDiffId(digester.digest()))
}

function tarOf({ blob, compression }: BlobTask): Bytes {
  return decompress(createReadStream(blob, { highWaterMark: 1 << 20 }), compression)
}

function checkDiffId(claimed: DiffId, found: DiffId): void {
  if (found === claimed) return
  throw new TsbuildError(`layer ${claimed} unpacks to ${found}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the image config and the layer do not belong together; the image is damaged',
  })
}

/** Where there is one user id only, everything belongs to it. */
function ownersHere(): Owners {
  return hasSingleId() ? 'beside' : 'keep'
}

/** Makes one overlay directory of several. */
export function mergeDirectories({ directories, directory }: MergeTask): void {
  mergeLayers(directories, directory, { owners: ownersHere() })
}

/** Writes merged file systems as files or as one tar. */
export function unpackTrees({ trees, dest, format, mode, latest }: UnpackTask): void {
  const changes = latest === undefined ? changesIn(trees) : clamped(changesIn(trees), latest)
  if (format === 'tar') {
    writeLayer(changes, { tar: dest })
    return
  }
  if (typeof dest === 'number') throw new Error('a folder is given by its path')
  const owners = hasSingleId() ? 'drop' : 'keep'
  if (format === 'layer') writeLayer(changes, { directory: dest }, { owners })
  else writeFiles(changes, dest)
  if (mode === 'delete') deleteOthers(trees, dest)
}

function deleteOthers(trees: UnpackTask['trees'], dest: string): void {
  const opened = trees.map(({ directories, folder }) => {
    return { tree: stackTree(directories), folder: nameOf(folder) }
  })
  try {
    removeOthers(dest, opened)
  } finally {
    for (const { tree } of opened) tree.close()
  }
}

function* changesIn(trees: UnpackTask['trees']): Generator<Change> {
  for (const { directories, folder } of trees) {
    const tree = stackTree(directories)
    try {
      yield* folder === '' ? treeChanges(tree) : changesBelow(nameOf(folder), tree)
    } finally {
      tree.close()
    }
  }
}

/** The whole tree in a folder of that name, which has the attributes of the tree's root. */
function* changesBelow(folder: Name, tree: Tree): Generator<Change> {
  const stat = tree.lstat('' as Name)
  if (stat !== undefined) yield { kind: 'entry', path: folder, stat }
  for (const change of treeChanges(tree)) {
    const path = joinName(folder, change.path)
    if (change.kind !== 'entry' || change.hardlink === undefined) yield { ...change, path }
    else yield { ...change, path, hardlink: joinName(folder, change.hardlink) }
  }
}

interface OpenTrees extends FilesInput, Disposable {
  /** Keeps a content that was learnt in another way, so that the next build reads no file. */
  readonly remember: (file: SourceFile, content: FileContent) => void
}

function openTrees(task: FilesTask): OpenTrees {
  const opened: Tree[] = []
  const close = (): void => {
    for (const tree of opened) tree.close()
  }
  try {
    /** Files whose content is not remembered: it may be another one while all looks the same. */
    const unsure = new Set<Name>()
    for (const spec of [task.root, ...task.sources]) {
      opened.push(openTree(spec, task, (path) => unsure.add(path)))
    }
    const [root, ...sources] = opened
    if (root === undefined) throw new Error('a task has a root')
    const index = openIndex(task)
    const remember: OpenTrees['remember'] = ({ path, stat: { identity } }, { digest, xattrs }) => {
      if (identity === undefined || unsure.has(path)) return
      index?.put(path, identity, { digest, isBare: xattrs?.size === 0 })
    }
    const read: OpenTrees['read'] = (file) => {
      const { path, stat, tree } = file
      const known = stat.identity && index?.get(path, stat.identity)
      const digest = known?.digest ?? digestFile(() => tree.openFile(path))
      const content = known?.isBare ? { digest } : { digest, xattrs: attributesOf(file) }
      if (known === undefined || content.xattrs?.size === 0) remember(file, content)
      return content
    }
    const dispose = (): void => {
      try {
        index?.flush()
      } finally {
        index?.[Symbol.dispose]()
        close()
      }
    }
    return { root, sources, read, remember, [Symbol.dispose]: dispose }
  } catch (cause) {
    close()
    throw cause
  }
}

function openIndex({ sources, store }: FilesTask): FileDigests | undefined {
  const context = sources.find((source) => source.kind === 'context')
  if (context === undefined || context.transient) return undefined
  return openFileDigests(store, context.directory)
}

/** The store is no part of a context, even where it lies in it. */
function openTree(
  spec: TreeSpec,
  { store }: Pick<FilesTask, 'store'>,
  onUnseenWrites?: (path: Name) => void,
): Tree {
  if (spec.kind === 'layers') return stackTree(spec.directories)
  const { directory, ignore, modes = 'kept' } = spec
  const rules = ignore === '' ? {} : { ignore: parseDockerignore(ignore) }
  return directoryTree(directory, { ...rules, modes, leftOut: store, onUnseenWrites })
}

function limited(read: FilesInput['read'], limit: WorkLimit): FilesInput['read'] {
  let files = 0
  let bytes = 0
  return (file) => {
    files++
    bytes += file.stat.size
    if (files > limit.files || bytes > limit.bytes) throw new LimitExceeded()
    return read(file)
  }
}
