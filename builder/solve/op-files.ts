import { join } from 'node:path'
import type { FilesVertex } from '#builder/plan'
import type { Store } from '#cache'
import { type Digest, uncompressedDigest } from '#core'
import { directoriesOf, type Layer } from './layer.ts'
import type { Reporter } from './reporter.ts'
import type { StepOutcome } from './solver.ts'
import type { KeyedStep } from './vertex-key.ts'
import { checksum, type FilesTask, LimitExceeded, type TreeSpec } from './work.ts'
import type { WorkPool } from './work-pool.ts'

export interface FilesDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly reporter: Reporter
  readonly context: Extract<TreeSpec, { kind: 'context' }>
  readonly signal: AbortSignal | undefined
}

export interface FilesInputs {
  readonly below: readonly Layer[]
  readonly source: readonly Layer[]
}

export interface FilesWork extends FilesInputs {
  /** The key of the step, once it is known what was copied. */
  readonly keyOf: (content: Digest) => KeyedStep
  /** The result is wanted as a directory, because something will look into it. */
  readonly wantsDirectory: boolean
}

// What the main thread may digest itself: about 10 ms, less than a thread takes to start.
const INLINE = { files: 500, bytes: 16 << 20 }

/** Digest of what the step copies, by content and not by date. */
export async function contentOf(
  vertex: FilesVertex,
  inputs: FilesInputs,
  deps: FilesDeps,
): Promise<Digest> {
  const task = await filesTask(vertex, inputs, deps)
  try {
    return checksum(task, INLINE)
  } catch (cause) {
    if (!(cause instanceof LimitExceeded)) throw cause
    return deps.pool.run('checksum', task, deps.signal)
  }
}

/** Makes the layer: straight into a tar when nobody looks into it, as a directory otherwise. */
export async function runFiles(
  vertex: FilesVertex,
  work: FilesWork,
  deps: FilesDeps,
): Promise<StepOutcome> {
  const { store, pool, reporter, signal } = deps
  await using temporary = store.temporary()
  const tar = work.wantsDirectory ? undefined : join(temporary.path, 'layer.tar')
  const directory = work.wantsDirectory ? join(temporary.path, 'layer') : undefined
  const createdAt = new Date()
  const task = {
    ...(await filesTask(vertex, work, deps)),
    temporary: join(temporary.path, 'archives'),
    tar,
    directory,
    now: createdAt.getTime(),
  }
  const copied = await pool.run('copyFiles', task, signal)
  for (const warning of copied.warnings) reporter.warning(vertex, warning)
  const step = work.keyOf(copied.content)
  if (directory !== undefined) {
    const { id } = await store.layers.commitDirectory(directory)
    return { step, layer: id, createdAt }
  }
  const { diffId, size } = copied
  if (tar === undefined || diffId === undefined || size === undefined) {
    throw new Error('a copy makes a directory or a tar')
  }
  await store.blobs.adopt(tar, uncompressedDigest(diffId), size)
  return { step, layer: store.layers.register({ diffId, size }).id, createdAt }
}

async function filesTask(
  vertex: FilesVertex,
  inputs: FilesInputs,
  deps: FilesDeps,
): Promise<FilesTask> {
  const { source } = vertex
  const below = vertex.link ? [] : inputs.below
  const root: TreeSpec = { kind: 'layers', directories: await directoriesOf(below) }
  const { actions } = vertex
  const store = deps.store.root
  if (source.kind === 'none') return { actions, root, sources: [], store }
  if (source.kind === 'context') return { actions, root, sources: [deps.context], store }
  const directories = await directoriesOf(inputs.source)
  return { actions, root, sources: [{ kind: 'layers', directories }], store }
}
