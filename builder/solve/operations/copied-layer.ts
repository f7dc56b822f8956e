import type { LayerId, TarFacts } from '#cache'
import type { Spans } from '#core'
import type { LayerForm } from '../layers/layer-forms.ts'
import type { Reporter } from '../report/reporter.ts'
import type { CopiedFiles, CopyTask } from '../work/tasks/copy-files.ts'
import type { SelectionDeps } from './file-selection.ts'

/** What copying files needs. */
export interface CopyDeps extends SelectionDeps {
  readonly reporter: Reporter
  readonly spans: Spans
  readonly lowerForm: () => Promise<LayerForm>
}

/** A layer in the store, and what was copied. */
export interface MadeLayer {
  readonly copied: CopiedFiles
  readonly layer: LayerId
}

/** Nothing for a directory that lacks something which its tar, that was not kept, would have. */
export async function adoptTar(
  { diffId, size, warnings, presumed }: CopiedFiles,
  { tar }: Pick<CopyTask, 'tar'>,
  { watch }: Pick<CopyDeps, 'watch'>,
): Promise<TarFacts | undefined> {
  if (diffId === undefined || size === undefined) return undefined
  if (tar === undefined) return warnings.length > 0 ? undefined : { diffId, size, presumed }
  await watch.keepTar(tar, { diffId, size })
  return { diffId, size, presumed }
}

/** The layer of a copy that has a tar alone. */
export function layerOfTar(
  facts: TarFacts | undefined,
  { layers }: Pick<CopyDeps['store'], 'layers'>,
): LayerId {
  if (facts === undefined) throw new Error('a copy has at least one form')
  return layers.register(facts).id
}

/** Keeps what is where in a tar, for the next version of the step. */
export function adoptContents(
  { diffId, hasContents }: CopiedFiles,
  { contents }: Pick<CopyTask, 'contents'>,
  { store }: Pick<CopyDeps, 'store'>,
): void {
  if (hasContents && diffId !== undefined && contents !== undefined) {
    store.contents.adopt(contents, diffId)
  }
}
