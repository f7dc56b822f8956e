import type { BaseLayer } from '#builder/plan'
import type { Store } from '#cache'
import type { DiffId, Spans } from '#core'
import type { WorkPool } from '../work/work-pool.ts'
import type { BackgroundTasks } from './background-tasks.ts'
import type { LayerForm } from './layer-forms.ts'
import type { LayerWatch } from './layer-watch.ts'

/** What layers need to make their forms. */
export interface LayerDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly watch: LayerWatch
  /** What stacks are made of: `tar` where steps run in place. */
  readonly lowerForm: () => Promise<LayerForm>
  readonly tasks: BackgroundTasks
  readonly spans: Spans
  readonly signal: AbortSignal | undefined
}

/** What is known of the uncompressed tar of a layer. */
export interface TarFacts {
  readonly diffId: DiffId
  /** Bytes of the uncompressed tar; unknown for a base layer that was never unpacked. */
  readonly size: number | undefined
}

/** One layer of a result, in the forms that it has; other forms are made when they are asked for. */
export interface Layer {
  /** A base layer as its registry or layout has it. */
  readonly base: BaseLayer | undefined
  readonly createdAt: Date | undefined
  /**
   * As a part of a stack: the tar where that is wanted and says everything, else the directory; or several
   * directories, topmost first, which are the layer together.
   */
  lower(below: readonly Layer[]): Promise<readonly string[]>
  /** Overlay form. `below` are the layers underneath, bottom first. */
  directory(below: readonly Layer[]): Promise<string>
  /** As `lower`, after its content was digested: for what leaves the machine. */
  checkedLower(below: readonly Layer[]): Promise<readonly string[]>
  /** For a built layer: once this is known, the tar is in the store. */
  tar(below: readonly Layer[]): Promise<TarFacts>
  /** The diffID, for which no tar is kept; `undefined` for a directory that no tar can hold. */
  diffId(below: readonly Layer[]): Promise<DiffId | undefined>
}

/** @returns the diffIDs of a stack, bottom first; built layers are packed for it */
export async function diffIdsOf(layers: readonly Layer[]): Promise<readonly DiffId[]> {
  const diffIds = layers.map(
    async (layer, index) => layer.base?.diffId ?? (await layer.tar(layers.slice(0, index))).diffId,
  )
  return Promise.all(diffIds)
}

/**
 * A form that no step has damaged since it was made.
 * @throws {TsbuildError} DIGEST_MISMATCH when one has
 */
export async function intact<T extends string | readonly string[]>(
  form: Promise<T>,
  { watch }: Pick<LayerDeps, 'watch'>,
): Promise<T> {
  const paths = await form
  for (const path of [paths].flat()) watch.check(path)
  return paths
}
