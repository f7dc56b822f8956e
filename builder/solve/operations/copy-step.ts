import { join } from 'node:path'
import { ownersBeside } from '#builder/layer'
import type { FilesVertex } from '#builder/plan'
import type { CacheKey } from '#cache'
import type { Digest, ExecutionReason } from '#core'
import type { KeyedStep } from '../keys/vertex-key.ts'
import type { LayerForm } from '../layers/layer-forms.ts'
import { readAlong } from '../work/read-along.ts'
import type { FilesTask } from '../work/selection/trees.ts'
import type { CopiedFiles, CopyTask } from '../work/tasks/copy-files.ts'
import {
  adoptContents,
  adoptTar,
  type CopyDeps,
  layerOfTar,
  type MadeLayer,
} from './copied-layer.ts'
import { copyAgain } from './copy-again.ts'
import { filesTask, type SelectedLayers } from './file-selection.ts'
import type { StepWork } from './operation.ts'
import type { StepOutcome } from './result.ts'
import { withSoundSources } from './sound-sources.ts'

/** A copy, and what it needs of the solver. */
export interface CopyWork extends Pick<StepWork, 'forms' | 'reason'> {
  readonly layers: SelectedLayers
  /** The key of the step, once it is known what was copied. */
  readonly keyOf: (content: Digest) => KeyedStep
  /** Of a step that may have an earlier version of which the unchanged part is taken. */
  readonly family: CacheKey | undefined
}

/** Else nothing is there to be taken over, or files are to be read, whatever is remembered of them. */
const TAKING_OVER: ReadonlySet<ExecutionReason> = new Set(['input-changed', 'input-executed'])

/** Makes the layer in the forms that are needed. */
export async function copyStep(
  vertex: FilesVertex,
  work: CopyWork,
  deps: CopyDeps,
): Promise<StepOutcome> {
  const { layers } = work
  const files = await deps.spans.except('steps', () => filesTask(vertex, layers, deps))
  return withSoundSources(() => copyOnce(vertex, { ...work, files }, deps), {
    ...deps,
    ...{ vertex, sources: layers.sources },
  })
}

async function copyOnce(
  vertex: FilesVertex,
  { files, keyOf, forms: wanted, reason, family }: CopyWork & { readonly files: FilesTask },
  deps: CopyDeps,
): Promise<StepOutcome> {
  const { store, reporter, pool } = deps
  await using temporary = store.temporary()
  const isTarOnly = (await deps.lowerForm()) === 'tar'
  const forms: readonly LayerForm[] = isTarOnly ? ['tar'] : wanted
  const inPlace = (name: string): string => join(temporary.path, name)
  const task = {
    ...files,
    mtimeMs: vertex.defaultMtime ?? Date.now(),
    maxMtime: vertex.maxMtime,
    temporary: inPlace('archives'),
    tar: forms.includes('tar') ? inPlace('tar') : undefined,
    contents: undefined,
    state: undefined,
    directory: forms.includes('directory') ? inPlace('directory') : undefined,
    reader: undefined,
  }
  const isSmall = pool.isSmall('copyFiles', task)
  const isKept = family !== undefined && areRemembered(task) && !isSmall
  const isAgain = isKept && TAKING_OVER.has(reason)
  const again = isAgain ? await copyAgain(task, { family, vertex }, deps) : undefined
  const anew = isKept ? { ...task, contents: inPlace('contents'), state: inPlace('state') } : task
  const { copied, layer, tar } = again ?? (await copyAnew(anew, isSmall, deps))
  for (const warning of copied.warnings) reporter.warning(vertex, warning)
  return { step: keyOf(copied.content), layer, tar }
}

/** Nothing is remembered of files that are removed after the build: each would count as changed. */
function areRemembered({ sources }: CopyTask): boolean {
  return !sources.some((source) => source.kind === 'context' && source.transient)
}

async function copyAnew(task: CopyTask, isSmall: boolean, deps: CopyDeps): Promise<MadeLayer> {
  const { store } = deps
  const copied = await copyForms(task, isSmall, deps)
  const facts = await adoptTar(copied, task, deps)
  adoptContents(copied, task, deps)
  if (task.directory === undefined) return { copied, layer: layerOfTar(facts, store) }
  const { id } = await store.layers.commitDirectory(task.directory, facts)
  if (facts !== undefined) store.layers.setTar(id, facts)
  return { copied, layer: id }
}

/**
 * Both forms at once are made by two threads: one reads the files and writes the tar, the other makes
 * the directory of the same bytes. So every file is read once, and both forms hold the same. Where
 * owners are presumed, which a tar does not say, and where there is little to do, one thread makes both.
 */
async function copyForms(
  task: CopyTask,
  isSmall: boolean,
  { pool, signal }: CopyDeps,
): Promise<CopiedFiles> {
  const { tar, directory } = task
  const trees = [task.root, ...task.sources]
  const isPresumed = trees.some(
    (tree) => tree.kind === 'layers' && ownersBeside(tree.lowers, 'presumed') !== undefined,
  )
  const isOneForm = tar === undefined || directory === undefined
  if (isOneForm || isPresumed || isSmall) return pool.run('copyFiles', task, signal)
  const { written: copied, read } = await readAlong(
    {
      write: (ring) => {
        const copying = { ...task, directory: undefined, reader: ring }
        return pool.run('copyFiles', copying, signal)
      },
      read: (ring) => pool.runBeside('fillDirectory', { tar: ring, directory }, signal),
    },
    pool,
  )
  const { diffId, size, warnings } = read
  return { ...copied, diffId, size, warnings: [...copied.warnings, ...warnings] }
}
