import type { WorkPool } from '#builder/solve'
import type { StoreAudit } from '#cache'
import type { KnownStacks } from './known-stacks.ts'
import type { NeededBlobs } from './needed-blobs.ts'

/** What the checks of an open store work with. */
export interface VerifyDeps {
  readonly audit: StoreAudit
  readonly pool: WorkPool
  readonly needed: NeededBlobs
  readonly stacks: KnownStacks
  /** Gets the bytes of each blob and folder that has been read. */
  readonly onBytes: (bytes: number) => void
  readonly signal: AbortSignal | undefined
}
