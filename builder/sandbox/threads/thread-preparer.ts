import { threadSettings } from '#builder/threads'
import { closePreparer, openPreparer, type Preparer } from '../process/step-namespaces.ts'

/** What the thread that prepares steps is started with. */
export interface PreparerSettings {
  /** An empty directory of ours: in each step's mount namespace, the scaffold is mounted here. */
  readonly scaffold: string
}

let preparer: Preparer | undefined

/** The preparer of the calling thread, opened at the first call. */
export function threadPreparer(): Preparer {
  preparer ??= openPreparer(threadSettings<PreparerSettings>().scaffold)
  return preparer
}

/** Releases it, before the thread ends. */
export function closeThreadPreparer(): void {
  if (preparer !== undefined) closePreparer(preparer)
  preparer = undefined
}
