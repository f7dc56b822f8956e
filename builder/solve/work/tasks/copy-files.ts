import { mkdirSync } from 'node:fs'
import { type FilesResult, finished, runFileActions } from '#builder/files'
import {
  clampChanges,
  type LayerSinks,
  layerOwners,
  type WriteOptions,
  writeLayer,
} from '#builder/layer'
import type { Ring } from '#builder/threads'
import { type Change, type DiffId, type Digest, digestOf, type OwnedFiles } from '#core'
import { selectionState } from '../selection/selection-state.ts'
import { type NotedState, StateNotes } from '../selection/state-notes.ts'
import { type FilesTask, type OpenTrees, openTrees } from '../selection/trees.ts'
import { openNullDevice } from './null-device.ts'
import { PresumedFiles } from './presumed-files.ts'

/** What is copied, and how. */
export interface Copying extends FilesTask {
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
  /** With `contents`: a file to create, for what the context was like. */
  readonly state: string | undefined
  /** Gets the tar, too. */
  readonly reader: Ring | undefined
  /** A directory to create, in overlay form. */
  readonly directory: string | undefined
}

/** What is known of files that were copied. */
export interface Copied {
  /** Of what was selected. */
  readonly content: Digest
  /** Files whose owners are presumed; absent when there are none. */
  readonly presumed: OwnedFiles | undefined
  readonly warnings: readonly string[]
  /** What was noted of the context. */
  readonly state?: NotedState | undefined
}

/** The layer that a copy made. */
export interface CopiedFiles extends Copied {
  readonly diffId: DiffId | undefined
  readonly size: number | undefined
  /** The contents are worth being kept. */
  readonly hasContents: boolean
}

/** Performs the actions: a layer as tar, as directory or as both, and the digest of what was selected. */
export async function copyFiles(task: CopyTask): Promise<CopiedFiles> {
  // Without a tar the layer still gets a diffID, by which its directory is checked later.
  using nullDevice = openNullDevice()
  const sinks = { ...sinksOf(task), tar: task.tar ?? nullDevice.descriptor }
  using trees = openTrees(task)
  const { knownDigest: _, ...reading } = trees
  const { state: path } = task
  const found = path === undefined ? undefined : finished(selectionState(task))
  const notes = found && new StateNotes(found, { path, basis: basisOf(task) })
  const copied = await copyFrom(reading, { ...task, onText: notes?.onText }, (changes, options) =>
    writeLayer(changes, sinks, options),
  )
  if (copied === undefined) throw new Error('a copy has a result')
  const { written, ...known } = copied
  const { diffId, size, hasContents = false } = written
  const isNoted = hasContents && !trees.hasVolatileFiles()
  const state = isNoted ? notes?.write(known.content) : undefined
  return { ...known, diffId, size, hasContents, state }
}

function sinksOf({ tar, reader, contents, directory }: CopyTask): LayerSinks {
  return {
    ...(tar === undefined ? {} : { tar }),
    ...(reader === undefined ? {} : { reader }),
    ...(contents === undefined ? {} : { contents }),
    ...(directory === undefined ? {} : { directory }),
  }
}

/** Digest of what a copy depends on beside what it selects, and that its earlier version has in common with it. */
export function basisOf({ root, maxMtime }: Copying): Digest {
  return digestOf(JSON.stringify([root, maxMtime ?? null]))
}

/** How a copy is made known. */
interface CopyReport {
  /** Of what is selected, where that is known. */
  readonly content?: Digest
  /** See `FilesOptions`. */
  readonly onText?: ((text: string) => void) | undefined
}

/** Performs the actions; `write` writes the layer, and says where nothing but one directory is copied. */
export async function copyFrom<W>(
  trees: Omit<OpenTrees, 'knownDigest'> & Partial<Pick<OpenTrees, 'knownDigest'>>,
  task: Copying & CopyReport,
  write: (
    changes: Iterable<Change>,
    options: WriteOptions,
    only: FilesResult['only'],
  ) => W | undefined,
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
    onText: task.onText,
  })
  const presumed = new PresumedFiles()
  const changes = clampChanges(presumed.among(result.changes), task.maxMtime)
  const options = { onWarning, onFile: result.onFile, owners: layerOwners() }
  const written = write(changes, options, result.only)
  if (written === undefined) return undefined
  const content = task.content ?? result.contentDigest()
  return { content, presumed: presumed.found, warnings, written }
}
