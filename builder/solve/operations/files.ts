import { join } from 'node:path'
import { hasOwnersBeside } from '#builder/layer'
import type { FilesSource, FilesVertex } from '#builder/plan'
import { breakRing, originalFailure, type Ring } from '#builder/threads'
import type { Store, TarFacts, TemporaryDirectory } from '#cache'
import { type Digest, uncompressedDigest } from '#core'
import type { KeyedStep } from '../keys/vertex-key.ts'
import type { Layer } from '../layers/layer.ts'
import { directoriesOf } from '../layers/stack.ts'
import type { Reporter } from '../report/reporter.ts'
import type { StepOutcome } from '../solver.ts'
import { checksumWithin, LimitExceeded } from '../work/tasks/checksum.ts'
import type { CopiedFiles, CopyTask } from '../work/tasks/copy-files.ts'
import type { FilesTask, TreeSpec } from '../work/tasks/trees.ts'
import type { WorkPool } from '../work/work-pool.ts'

export type ContextTree = Extract<TreeSpec, { kind: 'context' }>

export interface FilesDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly reporter: Reporter
  readonly context: ContextTree
  /** The folders among the named contexts. */
  readonly namedContexts?: ReadonlyMap<string, ContextTree> | undefined
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
    return checksumWithin(task, INLINE)
  } catch (cause) {
    if (!(cause instanceof LimitExceeded)) throw cause
    return deps.pool.run('checksum', task, deps.signal)
  }
}

/** Makes the layer in the forms that are wanted. */
export async function runFiles(
  vertex: FilesVertex,
  work: FilesWork,
  deps: FilesDeps,
): Promise<StepOutcome> {
  const { store, reporter } = deps
  await using temporary = store.temporary()
  const createdAt = new Date()
  const copied = await copyForms(
    {
      ...(await filesTask(vertex, work, deps)),
      mtimeMs: vertex.madeAt ?? createdAt.getTime(),
      maxMtime: vertex.latest,
      temporary: join(temporary.path, 'archives'),
      tar: work.forms.includes('tar') ? join(temporary.path, 'tar') : undefined,
      directory: work.forms.includes('directory') ? join(temporary.path, 'directory') : undefined,
      reader: undefined,
    },
    deps,
  )
  for (const warning of copied.warnings) reporter.warning(vertex, warning)
  const step = work.keyOf(copied.content)
  const facts = await adoptTar(copied, temporary, { store, hasTar: work.forms.includes('tar') })
  if (work.forms.includes('directory')) {
    const { id } = await store.layers.commitDirectory(join(temporary.path, 'directory'), facts)
    if (facts !== undefined) store.layers.setTar(id, facts)
    return { step, layer: id, createdAt }
  }
  if (facts === undefined) throw new Error('a copy has at least one form')
  return { step, layer: store.layers.register(facts).id, createdAt }
}

/**
 * Both forms at once are made by two threads: one reads the files and writes the tar, the other makes
 * the directory of the same bytes. So every file is read once, and both forms hold the same. Where
 * owners may be presumed, which a tar does not say, one thread makes both.
 */
async function copyForms(task: CopyTask, { pool, signal }: FilesDeps): Promise<CopiedFiles> {
  const { tar, directory } = task
  const trees = [task.root, ...task.sources]
  const hasOwners = trees.some(
    (tree) => tree.kind === 'layers' && hasOwnersBeside(tree.directories),
  )
  if (tar === undefined || directory === undefined || hasOwners) {
    return pool.run('copyFiles', task, signal)
  }
  return pool.withRing((ring) => copyBoth({ ...task, directory }, ring, { pool, signal }))
}

async function copyBoth(
  task: CopyTask & { readonly directory: string },
  ring: Ring,
  { pool, signal }: Pick<FilesDeps, 'pool' | 'signal'>,
): Promise<CopiedFiles> {
  const { directory } = task
  const copying = { ...task, directory: undefined, reader: ring }
  const broken = (): void => breakRing(ring)
  // A failure of one ends the other.
  const [copied, filled] = await Promise.allSettled([
    pool.run('copyFiles', copying, signal).finally(broken),
    pool.runBeside('fillDirectory', { tar: ring, directory }, signal).finally(broken),
  ])
  if (copied.status === 'fulfilled' && filled.status === 'fulfilled') {
    const { diffId, size, warnings } = filled.value
    return { ...copied.value, diffId, size, warnings: [...copied.value.warnings, ...warnings] }
  }
  const causes = [copied, filled].flatMap((half) =>
    half.status === 'rejected' ? [half.reason as unknown] : [],
  )
  throw originalFailure(causes)
}

/** Nothing for a directory that lacks something which its tar, that was not kept, would have. */
async function adoptTar(
  { diffId, size, warnings, presumed }: CopiedFiles,
  temporary: TemporaryDirectory,
  { store, hasTar }: { readonly store: Store; readonly hasTar: boolean },
): Promise<TarFacts | undefined> {
  if (diffId === undefined || size === undefined) return undefined
  if (!hasTar) return warnings.length > 0 ? undefined : { diffId, size, presumed }
  await store.blobs.adopt(join(temporary.path, 'tar'), uncompressedDigest(diffId), size)
  return { diffId, size, presumed }
}

async function filesTask(
  vertex: FilesVertex,
  inputs: FilesInputs,
  deps: FilesDeps,
): Promise<FilesTask> {
  const below = vertex.link ? [] : inputs.below
  const root: TreeSpec = { kind: 'layers', directories: await directoriesOf(below, deps) }
  const { actions } = vertex
  const store = deps.store.root
  const sources = vertex.sources.map(async (source, index): Promise<TreeSpec> => {
    if (source.kind === 'context') return contextTree(source, deps)
    return { kind: 'layers', directories: await directoriesOf(inputs.sources[index] ?? [], deps) }
  })
  return { actions, root, sources: await Promise.all(sources), store }
}

function contextTree(
  { name }: Extract<FilesSource, { kind: 'context' }>,
  { context, namedContexts }: FilesDeps,
): TreeSpec {
  const tree = name === undefined ? context : namedContexts?.get(name)
  if (tree === undefined) throw new Error(`no context ${name}`)
  return tree
}
