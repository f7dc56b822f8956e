import { applyLayer, layerOwners } from '#builder/layer'
import { type Ring, readRing } from '#builder/threads'
import type { DiffId } from '#core'

/** The other end of a copy. */
interface FillTask {
  readonly tar: Ring
  /** A directory to create, in overlay form. */
  readonly directory: string
}

/** What was made of the tar. */
interface FilledDirectory {
  readonly diffId: DiffId
  readonly size: number
  readonly warnings: readonly string[]
}

/** Makes an overlay directory of a tar while another thread writes it. */
export async function fillDirectory({ tar, directory }: FillTask): Promise<FilledDirectory> {
  const warnings: string[] = []
  const { diffId, size } = await applyLayer(blockingly(tar), directory, {
    lowers: [],
    owners: layerOwners(),
    onWarning: (message) => void warnings.push(message),
  })
  return { diffId, size, warnings }
}

/** Blocks the thread while it waits: there is nothing else for it to do. */
async function* blockingly(ring: Ring): AsyncGenerator<Uint8Array, void, undefined> {
  yield* readRing(ring)
}
