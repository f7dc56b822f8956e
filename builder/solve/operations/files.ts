import { join } from 'node:path'
import { ownersBeside } from '#builder/layer'
import type { FilesVertex, VertexId } from '#builder/plan'
import { breakRing, originalFailure, type Ring } from '#builder/threads'
import type { CacheKey, TarFacts, TemporaryDirectory } from '#cache'
import type { Digest, Spans } from '#core'
import { filesFamily, filesKey, type KeyedStep, linkedKey } from '../keys/vertex-key.ts'
import { sourcesOf } from '../keys/vertex-kind.ts'
import type { LayerForm } from '../layers/layer-forms.ts'
import type { Reporter } from '../report/reporter.ts'
import type { CopiedFiles, CopyTask } from '../work/tasks/copy-files.ts'
import {
  type FileSelection,
  filesTask,
  isFromContext,
  type SelectedLayers,
  type SelectionDeps,
} from './file-selection.ts'
import type { StepOperation, StepWork } from './operation.ts'
import type { StepOutcome } from './result.ts'

/** What copying files needs. */
export interface FilesDeps extends SelectionDeps {
  readonly reporter: Reporter
  readonly spans: Spans
  readonly lowerForm: () => Promise<LayerForm>
}

/** COPY, ADD and WORKDIR: a layer made of files from elsewhere. */
export class FilesOperation implements StepOperation {
  readonly kind = 'step'
  readonly vertex: FilesVertex
  readonly inputs: readonly VertexId[]
  readonly selection: FileSelection | undefined
  readonly isByContent: boolean
  readonly #deps: FilesDeps

  constructor(vertex: FilesVertex, deps: FilesDeps) {
    this.vertex = vertex
    this.inputs = sourcesOf(vertex)
    this.selection = vertex.sources.length === 0 ? undefined : vertex
    this.isByContent = isFromContext(vertex)
    this.#deps = deps
  }

  definitionKey(root: CacheKey | undefined, inputs: readonly CacheKey[]): KeyedStep | undefined {
    if (this.isByContent) return undefined
    if (this.selection === undefined) return filesKey(this.vertex, root, undefined)
    // The files of an empty stage have no key.
    return filesKey(this.vertex, root, { definition: inputs.length === 0 ? [null] : inputs })
  }

  contentKey(root: CacheKey | undefined, content: Digest): KeyedStep {
    return filesKey(this.vertex, root, { content })
  }

  family(root: CacheKey | undefined): CacheKey {
    return filesFamily(this.vertex, root)
  }

  resultKey(root: CacheKey | undefined, own: CacheKey): CacheKey {
    return this.vertex.link ? linkedKey(root, own) : own
  }

  run({ root, sources, step, forms }: StepWork): Promise<StepOutcome> {
    const layersOf = (result: StepWork['root']) => result?.layers.map(({ layer }) => layer) ?? []
    const layers = { below: layersOf(root), sources: sources.map(layersOf) }
    // A file of the context may have changed since its digest was taken: what was copied counts.
    const isKnown = step !== undefined && !this.isByContent
    const keyOf = (content: Digest): KeyedStep =>
      isKnown ? step : this.contentKey(root?.key, content)
    return runFiles(this.vertex, { layers, keyOf, forms }, this.#deps)
  }
}

interface FilesWork {
  readonly layers: SelectedLayers
  /** The key of the step, once it is known what was copied. */
  readonly keyOf: (content: Digest) => KeyedStep
  readonly forms: readonly LayerForm[]
}

/** Makes the layer in the forms that are needed. */
async function runFiles(
  vertex: FilesVertex,
  { layers, keyOf, forms }: FilesWork,
  deps: FilesDeps,
): Promise<StepOutcome> {
  const { store, reporter } = deps
  await using temporary = store.temporary()
  const isTarOnly = (await deps.lowerForm()) === 'tar'
  const hasTar = isTarOnly || forms.includes('tar')
  const directory =
    !isTarOnly && forms.includes('directory') ? join(temporary.path, 'directory') : undefined
  const task = {
    ...(await deps.spans.except('steps', () => filesTask(vertex, layers, deps))),
    mtimeMs: vertex.defaultMtime ?? Date.now(),
    maxMtime: vertex.maxMtime,
    temporary: join(temporary.path, 'archives'),
    tar: hasTar ? join(temporary.path, 'tar') : undefined,
    directory,
    reader: undefined,
  }
  const copied = await copyForms(task, deps)
  for (const warning of copied.warnings) reporter.warning(vertex, warning)
  const step = keyOf(copied.content)
  const facts = await adoptTar(copied, temporary, { watch: deps.watch, hasTar })
  if (directory !== undefined) {
    const { id } = await store.layers.commitDirectory(directory, facts)
    if (facts !== undefined) store.layers.setTar(id, facts)
    return { step, layer: id }
  }
  if (facts === undefined) throw new Error('a copy has at least one form')
  return { step, layer: store.layers.register(facts).id }
}

/**
 * Both forms at once are made by two threads: one reads the files and writes the tar, the other makes
 * the directory of the same bytes. So every file is read once, and both forms hold the same. Where
 * owners are presumed, which a tar does not say, and where there is little to do, one thread makes both.
 */
async function copyForms(task: CopyTask, { pool, signal }: FilesDeps): Promise<CopiedFiles> {
  const { tar, directory } = task
  const trees = [task.root, ...task.sources]
  const isPresumed = trees.some(
    (tree) => tree.kind === 'layers' && ownersBeside(tree.lowers, 'presumed') !== undefined,
  )
  const isOneForm = tar === undefined || directory === undefined
  if (isOneForm || isPresumed || pool.isSmall('copyFiles', task)) {
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
  const close = (): void => breakRing(ring)
  // A failure of one ends the other.
  const [copied, filled] = await Promise.allSettled([
    pool.run('copyFiles', copying, signal).finally(close),
    pool.runBeside('fillDirectory', { tar: ring, directory }, signal).finally(close),
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
  { watch, hasTar }: Pick<FilesDeps, 'watch'> & { readonly hasTar: boolean },
): Promise<TarFacts | undefined> {
  if (diffId === undefined || size === undefined) return undefined
  if (!hasTar) return warnings.length > 0 ? undefined : { diffId, size, presumed }
  await watch.keepTar(join(temporary.path, 'tar'), { diffId, size })
  return { diffId, size, presumed }
}
