import { mkdirSync } from 'node:fs'
import { runFileActions } from '#builder/files'
import {
  clampChanges,
  type LayerSinks,
  layerOwners,
  type PreviousFiles,
  rewriteLayer,
  type WriteOptions,
  type WrittenLayer,
  writeLayer,
} from '#builder/layer'
import type { Ring } from '#builder/threads'
import type { Change, DiffId, Digest, Name, OwnedFiles } from '#core'
import { openNullDevice } from './null-device.ts'
import { PresumedFiles } from './presumed-files.ts'
import { type FilesTask, type OpenTrees, openTrees } from './trees.ts'

/** A copy, and where its result goes. */
export interface CopyTask extends FilesTask {
  /** A directory to create, for what is unpacked on the way. */
  readonly temporary: string
  /** A file to create. */
  readonly tar: string | undefined
  /** A file to create: see `LayerSinks`. */
  readonly contents: string | undefined
  /** Gets the tar, too. */
  readonly reader: Ring | undefined
  /** A directory to create, in overlay form. */
  readonly directory: string | undefined
  /** Of directories and heredoc files that the copy itself makes; milliseconds. */
  readonly mtimeMs: number
  /** No entry is newer; milliseconds. */
  readonly maxMtime: number | undefined
}

/** The layer that a copy made. */
export interface CopiedFiles {
  /** Of what was selected. */
  readonly content: Digest
  readonly diffId: DiffId | undefined
  readonly size: number | undefined
  /** The contents are worth being kept. */
  readonly hasContents: boolean
  /** Files whose owners are presumed; absent when there are none. */
  readonly presumed: OwnedFiles | undefined
  readonly warnings: readonly string[]
}

/** A copy of which an earlier version was made. */
export interface RecopyTask extends CopyTask {
  readonly previous: PreviousFiles
}

/** Performs the actions: a layer as tar, as directory or as both, and the digest of what was selected. */
export async function copyFiles(task: CopyTask): Promise<CopiedFiles> {
  // Without a tar the layer still gets a diffID, by which its directory is checked later.
  using nullDevice = openNullDevice()
  const sinks = { ...sinksOf(task), tar: task.tar ?? nullDevice.descriptor }
  using trees = openTrees(task)
  const { knownDigest: _, ...reading } = trees
  const copied = await copyFrom(reading, task, (changes, options) =>
    writeLayer(changes, sinks, options),
  )
  if (copied === undefined) throw new Error('a copy has a result')
  return copied
}

/**
 * Performs the actions as `copyFiles`, but takes from an earlier layer what it has. The directory gets only what
 * differs from that one's. Without a tar there is no diffID: it would take reading everything.
 * @returns `undefined` when nothing can be taken over
 */
export async function recopyFiles(task: RecopyTask): Promise<CopiedFiles | undefined> {
  using trees = openTrees(task)
  const isBelow = (path: Name): boolean => trees.root.lstat(path) !== undefined
  const { previous } = task
  return await copyFrom(trees, task, (changes, options) =>
    rewriteLayer(changes, sinksOf(task), { ...options, previous, isBelow }),
  )
}

function sinksOf({ tar, reader, contents, directory }: CopyTask): LayerSinks {
  return {
    ...(tar === undefined ? {} : { tar }),
    ...(reader === undefined ? {} : { reader }),
    ...(contents === undefined ? {} : { contents }),
    ...(directory === undefined ? {} : { directory }),
  }
}

async function copyFrom(
  trees: Omit<OpenTrees, 'knownDigest'> & Partial<Pick<OpenTrees, 'knownDigest'>>,
  task: CopyTask,
  write: (changes: Iterable<Change>, options: WriteOptions) => WrittenLayer | undefined,
): Promise<CopiedFiles | undefined> {
  const warnings: string[] = []
  const onWarning = (message: string): void => void warnings.push(message)
  mkdirSync(task.temporary, { mode: 0o700 })
  using result = await runFileActions(task.actions, {
    root: trees.root,
    sources: trees.sources,
    temporary: task.temporary,
    mtimeMs: task.mtimeMs,
    onWarning,
    onContent: trees.remember,
    knownDigest: trees.knownDigest,
  })
  const presumed = new PresumedFiles()
  const written = write(clampChanges(presumed.among(result.changes), task.maxMtime), {
    ...{ onWarning, onFile: result.onFile, owners: layerOwners() },
  })
  if (written === undefined) return undefined
  const { diffId, size, hasContents = false } = written
  const content = result.contentDigest()
  return { content, diffId, size, hasContents, presumed: presumed.found, warnings }
}
