import type { FileAction } from '#builder/files'
import type { ExecVertex, FilesSource } from '#builder/plan'
import { type Store, sizeOfFileDigests } from '#cache'
import { type Digest, digestOf, hexOf } from '#core'
import type { Layer } from '../layers/layer.ts'
import type { LayerWatch } from '../layers/layer-watch.ts'
import { lowersOf } from '../layers/stack.ts'
import type { WorkLimit } from '../work/limits/work-meter.ts'
import { digestsOf, type FilesTask, type TreeSpec } from '../work/selection/trees.ts'
import { checksumWithin } from '../work/tasks/checksum.ts'
import type { WorkPool } from '../work/work-pool.ts'

/** A build context or a named one, as a tree of files. */
export type ContextTree = Extract<TreeSpec, { kind: 'context' }>

/** Files of other vertices or of contexts, as a step selects them. */
export interface FileSelection {
  /** What the actions' `source` counts in. */
  readonly sources: readonly FilesSource[]
  readonly actions: readonly FileAction[]
  /** The selection does not depend on what lies below. */
  readonly link: boolean
}

/** The layers that files are selected from. */
export interface SelectedLayers {
  readonly below: readonly Layer[]
  /** For each source its layers; none for a context. */
  readonly sources: readonly (readonly Layer[])[]
}

/** What is needed to read selected files. */
export interface SelectionDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly watch: LayerWatch
  readonly context: ContextTree
  /** The folders among the named contexts. */
  readonly namedContexts?: ReadonlyMap<string, ContextTree> | undefined
  readonly signal: AbortSignal | undefined
}

/** What the main thread may digest itself: about 10 ms, less than a thread takes to start. */
const DIGESTED_HERE: WorkLimit = { looks: 1500, bytes: 16 << 20 }

/** The same for a context whose files are known: 50,000 are looked up in some tenths of a second. */
const LOOKED_UP_HERE: WorkLimit = { looks: 100_000, bytes: 16 << 20 }

/** As many files have no smaller digests, so that only a larger context is looked at in vain. */
const MOST_LOOKED_UP_BYTES = 5 << 20

/** Whether a selection takes files of a build context: then only its content identifies it. */
export function isFromContext({ sources }: Pick<FileSelection, 'sources'>): boolean {
  return sources.some(({ kind }) => kind === 'context')
}

/** What the mounts of a step show of other vertices. */
export function mountSelection({ sources, mounts }: ExecVertex): FileSelection {
  const actions = mounts.flatMap((mount, index): readonly FileAction[] => {
    if (mount.kind !== 'bind' && mount.kind !== 'cache') return []
    const { source, path } = mount
    if (source === undefined || sources[source]?.vertex === undefined) return []
    const whole = { exclude: [], parents: false, unpack: 'never', wildcards: false } as const
    return [{ kind: 'copy', source, paths: [path], destination: `/${index}`, ...whole }]
  })
  return { sources, actions, link: true }
}

/** Digest of the selected files, by content and not by date. */
export async function contentOf(
  selection: FileSelection,
  layers: SelectedLayers,
  deps: SelectionDeps,
): Promise<Digest> {
  const task = await filesTask(selection, layers, deps)
  const sizes = task.sources.map((tree) => {
    const digests = digestsOf(tree)
    return digests === undefined ? undefined : sizeOfFileDigests(task.store, digests)
  })
  const isNew = sizes.includes(undefined)
  const areKnown = sizes.every((size) => size !== undefined && size <= MOST_LOOKED_UP_BYTES)
  const limit = areKnown ? LOOKED_UP_HERE : DIGESTED_HERE
  const digest = await checksumWithin(task, limit)
  if (digest !== undefined) return digest
  // It will be copied: one thread reads it then, another writes it.
  if (isNew) deps.pool.warmUp(2)
  return deps.pool.run('checksum', task, deps.signal)
}

/** A selection as data that crosses threads. */
export async function filesTask(
  { actions, sources, link }: FileSelection,
  layers: SelectedLayers,
  deps: SelectionDeps,
): Promise<FilesTask> {
  const below = link ? [] : layers.below
  const root: TreeSpec = { kind: 'layers', lowers: await lowersOf(below, deps) }
  const trees = sources.map(async (source, index): Promise<TreeSpec> => {
    if (source.kind === 'context') return contextTree(source, deps)
    const lowers = await lowersOf(layers.sources[index] ?? [], deps)
    return { kind: 'layers', lowers, digests: stageDigests(actions, lowers) }
  })
  return { actions, root, sources: await Promise.all(trees), store: deps.store.root }
}

/**
 * What the digests of files are called that actions take from a stage: the same from build to build, as long as
 * the stage begins with the same layer.
 */
function stageDigests(actions: readonly FileAction[], lowers: readonly string[]): string {
  const paths = actions.flatMap((action) => (action.kind === 'copy' ? action.paths : []))
  const place = digestOf(JSON.stringify([actions, lowers.at(-1) ?? null]))
  return `${paths.join(' ')} of a stage (${hexOf(place).slice(0, 12)})`
}

function contextTree(
  { name }: Extract<FilesSource, { kind: 'context' }>,
  { context, namedContexts }: SelectionDeps,
): TreeSpec {
  const tree = name === undefined ? context : namedContexts?.get(name)
  if (tree === undefined) throw new Error(`no context ${name}`)
  return tree
}
