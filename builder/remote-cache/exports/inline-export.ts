import type { SolvedStep, StepTaker } from '#builder/solve'
import type { CacheKey } from '#cache'
import type { DiffId, Json } from '#core'
import { type InlineResult, inlineJson } from '../records/inline-records.ts'

/** Collects the results that go into the configs of images. */
export class InlineExport implements StepTaker {
  readonly takesAll = false
  readonly #steps = new Map<CacheKey, SolvedStep>()
  readonly #families = new Set<CacheKey>()

  take(step: SolvedStep): void {
    if (step.isInImage) this.#steps.set(step.key, step)
  }

  takeFamily(family: CacheKey): void {
    this.#families.add(family)
  }

  /** The results whose layers an image has. */
  async resultsOf(diffIds: readonly DiffId[]): Promise<Json> {
    const found = [...this.#steps.values()].map((step) => resultOf(step, diffIds))
    return inlineJson((await Promise.all(found)).flat(), this.#families)
  }
}

/** Nothing for a layer whose owners are presumed: the config does not say so. */
async function resultOf(
  step: SolvedStep,
  diffIds: readonly DiffId[],
): Promise<readonly InlineResult[]> {
  const { key, family, inputs, description, createdAt, aliases } = step
  const layer = step.remote() ?? (await step.packed())
  if (!diffIds.includes(layer.diffId) || layer.presumed !== undefined) return []
  return [{ key, family, inputs, description, createdAt, aliases, layer }]
}
