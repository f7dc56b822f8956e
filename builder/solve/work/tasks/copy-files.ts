import { mkdirSync } from 'node:fs'
import { runFileActions } from '#builder/files'
import { clampChanges, layerOwners, writeLayer } from '#builder/layer'
import type { Ring } from '#builder/threads'
import type { DiffId, Digest, OwnedFiles } from '#core'
import { openNullDevice } from './null-device.ts'
import { PresumedFiles } from './presumed-files.ts'
import { type FilesTask, openTrees } from './trees.ts'

/** A copy, and where its result goes. */
export interface CopyTask extends FilesTask {
  /** A directory to create, for what is unpacked on the way. */
  readonly temporary: string
  /** A file to create. */
  readonly tar: string | undefined
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
  /** Files whose owners are presumed; absent when there are none. */
  readonly presumed: OwnedFiles | undefined
  readonly warnings: readonly string[]
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
    mtimeMs: task.mtimeMs,
    onWarning,
    onContent: trees.remember,
  })
  // Without a tar the layer still gets a diffID, by which its directory is checked later.
  using nullDevice = openNullDevice()
  const presumed = new PresumedFiles()
  const { diffId, size } = writeLayer(
    clampChanges(presumed.among(result.changes), task.maxMtime),
    {
      tar: task.tar ?? nullDevice.descriptor,
      ...(task.reader === undefined ? {} : { reader: task.reader }),
      ...(task.directory === undefined ? {} : { directory: task.directory }),
    },
    { onWarning, onFile: result.onFile, owners: layerOwners() },
  )
  const content = result.contentDigest()
  return { content, diffId, size, presumed: presumed.found, warnings }
}
