import type { LayerId, TarFacts } from '#cache'
import type { DiffId, Spans } from '#core'
import type { BackgroundTasks } from '../layers/background-tasks.ts'
import type { LayerForm } from '../layers/layer-forms.ts'
import type { Reporter } from '../report/reporter.ts'
import { completeCopiedState } from '../work/selection/copied-state.ts'
import type { CopiedFiles, CopyTask } from '../work/tasks/copy-files.ts'
import type { SelectionDeps } from './file-selection.ts'
import type { StepOutcome } from './result.ts'

/** What copying files needs. */
export interface CopyDeps extends SelectionDeps {
  readonly reporter: Reporter
  readonly spans: Spans
  readonly lowerForm: () => Promise<LayerForm>
  readonly tasks: BackgroundTasks
}

/** A layer in the store, and what was copied. */
export interface MadeLayer extends Pick<StepOutcome, 'layer' | 'tar'> {
  readonly copied: Pick<CopiedFiles, 'content' | 'warnings'>
}

/** Nothing for a directory that lacks something which its tar, that was not kept, would have. */
export async function adoptTar(
  { diffId, size, warnings, presumed }: Omit<CopiedFiles, 'content' | 'hasContents'>,
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

/** Keeps what is where in a tar, and what the context was like, for the next version of the step. */
export function adoptContents(
  { diffId, hasContents, state }: Pick<CopiedFiles, 'diffId' | 'hasContents' | 'state'>,
  { contents, state: file }: Pick<CopyTask, 'contents' | 'state'>,
  { store }: Pick<CopyDeps, 'store'>,
): void {
  if (!hasContents || diffId === undefined || contents === undefined) return
  store.contents.adopt(contents, diffId)
  if (file !== undefined) adoptState(state, { file, base: diffId }, store)
}

/** Keeps what the context was like, if that was noted, beside a layer that tells the rest. */
export function adoptState(
  state: CopiedFiles['state'],
  { file, base }: { readonly file: string; readonly base: DiffId },
  { contents }: Pick<CopyDeps['store'], 'contents'>,
): void {
  if (state === undefined || !completeCopiedState(file, state.digest, base)) return
  contents.adoptState(file, state.selection)
}
