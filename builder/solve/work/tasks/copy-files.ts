import { mkdirSync } from 'node:fs'
import { runFileActions } from '#builder/files'
import {
  clampChanges,
  type LayerSinks,
  layerOwners,
  type RewriteSinks,
  rewriteLayer,
  type TarRecipe,
  type WriteOptions,
  writeLayer,
} from '#builder/layer'
import type { Ring } from '#builder/threads'
import type { Change, DiffId, Digest, Name, OwnedFiles } from '#core'
import { openNullDevice } from './null-device.ts'
import { PresumedFiles } from './presumed-files.ts'
import { type FilesTask, type OpenTrees, openTrees } from './trees.ts'

/** What is copied, and how. */
interface Copying extends FilesTask {
  /** A directory to create, for what is unpacked on the way. */
  readonly temporary: string
  /** Of directories and heredoc files that the copy itself makes; milliseconds. */
  readonly mtimeMs: number
  /** No entry is newer; milliseconds. */
  readonly maxMtime: number | undefined
}

/** A copy, and where its result goes. */
export interface CopyTask extends Copying {
  /** A file to create. */
  readonly tar: string | undefined
  /** A file to create: see `LayerSinks`. */
  readonly contents: string | undefined
  /** Gets the tar, too. */
  readonly reader: Ring | undefined
  /** A directory to create, in overlay form. */
  readonly directory: string | undefined
}

/** A copy of which an earlier version was made, and where the differences go. */
export interface RecopyTask extends Copying {
  readonly sinks: RewriteSinks
  /** What is noted of the earlier layer's tar. */
  readonly previous: string
}

/** What is known of files that were copied. */
interface Copied {
  /** Of what was selected. */
  readonly content: Digest
  /** Files whose owners are presumed; absent when there are none. */
  readonly presumed: OwnedFiles | undefined
  readonly warnings: readonly string[]
}

/** The layer that a copy made. */
export interface CopiedFiles extends Copied {
  readonly diffId: DiffId | undefined
  readonly size: number | undefined
  /** The contents are worth being kept. */
  readonly hasContents: boolean
}

/** The differences of a copy from an earlier version. */
export interface RecopiedFiles extends Copied {
  /** Of the tar; absent where none is wanted. */
  readonly recipe: TarRecipe | undefined
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
  const { written, ...known } = copied
  const { diffId, size, hasContents = false } = written
  return { ...known, diffId, size, hasContents }
}

/**
 * Performs the actions as `copyFiles`, but reads and writes only what an earlier layer has not. What is wanted
 * of a tar is made by `assembleTar`.
 * @returns `undefined` when nothing can be taken over
 */
export async function recopyFiles(task: RecopyTask): Promise<RecopiedFiles | undefined> {
  using trees = openTrees(task)
  const isBelow = (path: Name): boolean => trees.root.lstat(path) !== undefined
  const { previous, sinks } = task
  const copied = await copyFrom(trees, task, (changes, options) =>
    rewriteLayer(changes, sinks, { ...options, previous, isBelow }),
  )
  if (copied === undefined) return undefined
  const { written, ...known } = copied
  return { ...known, recipe: written.recipe }
}

function sinksOf({ tar, reader, contents, directory }: CopyTask): LayerSinks {
  return {
    ...(tar === undefined ? {} : { tar }),
    ...(reader === undefined ? {} : { reader }),
    ...(contents === undefined ? {} : { contents }),
    ...(directory === undefined ? {} : { directory }),
  }
}

async function copyFrom<W>(
  trees: Omit<OpenTrees, 'knownDigest'> & Partial<Pick<OpenTrees, 'knownDigest'>>,
  task: Copying,
  write: (changes: Iterable<Change>, options: WriteOptions) => W | undefined,
): Promise<(Copied & { readonly written: W }) | undefined> {
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
  return { content: result.contentDigest(), presumed: presumed.found, warnings, written }
}
