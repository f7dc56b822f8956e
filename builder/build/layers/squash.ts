import { join } from 'node:path'
import type { StepLayer } from '#builder/export'
import type { PlannedImage } from '#builder/plan'
import type { WorkPool } from '#builder/solve'
import { cacheKeyOf, type Store } from '#cache'
import { joinOwnedFiles, type Spans, uncompressedDigest } from '#core'

/** What layers are squashed with. */
export interface SquashDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly spans: Spans
  readonly signal: AbortSignal
  /** All layers, or those of the base, as `stackTree` takes them. */
  readonly lowers: (which: 'all' | 'base') => Promise<readonly string[]>
}

/** An image whose new layers are one. */
export interface SquashedImage {
  readonly planned: PlannedImage
  readonly layers: readonly StepLayer[]
}

/**
 * Makes one layer of all that are not the base's; the history keeps their steps. What was squashed before is
 * found again, and the steps stay in the cache one by one.
 */
export async function squash(
  planned: PlannedImage,
  layers: readonly StepLayer[],
  deps: SquashDeps,
): Promise<SquashedImage> {
  const base = layers.filter(({ vertex }) => vertex === undefined)
  const made = layers.slice(base.length)
  const top = made.at(-1)
  if (top === undefined || made.length === 1) return { planned, layers }
  const facts = await squashedLayer(base, made, deps)
  const history = planned.history.map((item) => {
    if (item.kind === 'kept' || item.vertex === top.vertex) return item
    return { ...item, vertex: undefined }
  })
  const squashed: StepLayer = { ...top, ...facts, blob: undefined, origin: undefined }
  return { planned: { ...planned, history }, layers: [...base, squashed] }
}

async function squashedLayer(
  base: readonly StepLayer[],
  made: readonly StepLayer[],
  { store, pool, spans, signal, lowers }: SquashDeps,
): Promise<Pick<StepLayer, 'diffId' | 'size'>> {
  const [below, layers] = [base, made].map((some) => some.map(({ diffId }) => diffId))
  const preimage = { op: 'squash', below: below ?? [], layers: layers ?? [] }
  const key = cacheKeyOf(preimage)
  const known = store.records.find(key)?.layer
  const record = known === undefined ? undefined : store.layers.get(known)
  const isKept = record?.diffId !== undefined && record.size !== undefined
  if (isKept && store.blobs.stat(uncompressedDigest(record.diffId)) === record.size) {
    return { diffId: record.diffId, size: record.size }
  }
  await using temporary = store.temporary()
  const tar = join(temporary.path, 'tar')
  const task = { layers: await lowers('all'), below: await lowers('base'), tar }
  const facts = await spans.measure('packing', () => pool.run('squashLayers', task, signal))
  await store.blobs.adopt(tar, uncompressedDigest(facts.diffId), facts.size)
  const presumed = made.flatMap(({ diffId }) => store.layers.presumed(diffId) ?? [])
  const owners = presumed.length === 0 ? undefined : joinOwnedFiles(presumed)
  const { id } = store.layers.register({ ...facts, presumed: owners })
  store.records.put({ key, family: key, preimage, layer: id, description: 'squashed layers' })
  return facts
}
