import { join } from 'node:path'
import type { FilesVertex } from '#builder/plan'
import type { Store, TemporaryDirectory } from '#cache'
import { type DiffId, type Digest, together, uncompressedDigest } from '#core'
import { directoriesOf, type Layer } from './layer.ts'
import type { Reporter } from './reporter.ts'
import type { StepOutcome } from './solver.ts'
import type { KeyedStep } from './vertex-key.ts'
import { type CopiedFiles, checksum, type FilesTask, LimitExceeded, type TreeSpec } from './work.ts'
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
  /** For each source of the vertex its layers; nothing for the context. */
  readonly sources: readonly (readonly Layer[])[]
}

export interface FilesWork extends FilesInputs {
  /** The key of the step, once it is known what was copied. */
  readonly keyOf: (content: Digest) => KeyedStep
  /** A directory where something looks into the result, a tar where it is part of the image. */
  readonly forms: readonly ('directory' | 'tar')[]
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

/**
 * Makes the layer in the forms that are wanted. Both at once are made side by side by two threads:
 * the second one finds the files in memory, and a directory takes as long to write as a tar.
 */
export async function runFiles(
  vertex: FilesVertex,
  work: FilesWork,
  deps: FilesDeps,
): Promise<StepOutcome> {
  const { store, pool, reporter, signal } = deps
  await using temporary = store.temporary()
  const createdAt = new Date()
  const task = { ...(await filesTask(vertex, work, deps)), now: createdAt.getTime() }
  const copy = (form: 'directory' | 'tar') => (stop: AbortSignal) =>
    pool.run(
      'copyFiles',
      {
        ...task,
        temporary: join(temporary.path, `${form}-archives`),
        tar: form === 'tar' ? join(temporary.path, form) : undefined,
        directory: form === 'directory' ? join(temporary.path, form) : undefined,
      },
      stop,
    )
  const copied = await together(work.forms.map(copy), signal)
  const [first, second] = copied
  if (first === undefined) throw new Error('a copy has at least one form')
  for (const warning of first.warnings) reporter.warning(vertex, warning)
  const step = work.keyOf(first.content)
  const tar = copied.find(({ diffId }) => diffId !== undefined)
  // A file of the context that changed in between: then the directory counts.
  const isSame = second === undefined || second.content === first.content
  const facts = tar === undefined || !isSame ? undefined : await adoptTar(tar, temporary, store)
  if (work.forms.includes('directory')) {
    const record = await store.layers.commitDirectory(join(temporary.path, 'directory'), facts)
    return { step, layer: record.id, createdAt }
  }
  if (facts === undefined) throw new Error('a copy has at least one form')
  return { step, layer: store.layers.register(facts).id, createdAt }
}

async function adoptTar(
  { diffId, size }: CopiedFiles,
  temporary: TemporaryDirectory,
  store: Store,
): Promise<{ readonly diffId: DiffId; readonly size: number }> {
  if (diffId === undefined || size === undefined) throw new Error('a tar has a digest')
  await store.blobs.adopt(join(temporary.path, 'tar'), uncompressedDigest(diffId), size)
  return { diffId, size }
}

async function filesTask(
  vertex: FilesVertex,
  inputs: FilesInputs,
  deps: FilesDeps,
): Promise<FilesTask> {
  const below = vertex.link ? [] : inputs.below
  const root: TreeSpec = { kind: 'layers', directories: await directoriesOf(below) }
  const { actions } = vertex
  const store = deps.store.root
  const sources = vertex.sources.map(async (source, index): Promise<TreeSpec> => {
    if (source.kind === 'context') return deps.context
    return { kind: 'layers', directories: await directoriesOf(inputs.sources[index] ?? []) }
  })
  return { actions, root, sources: await Promise.all(sources), store }
}
