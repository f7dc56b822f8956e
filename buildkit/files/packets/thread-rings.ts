import type { Ring } from '#builder/threads'

/** What a thread hears and says. */
export interface ThreadRings {
  readonly inbound: Ring
  readonly outbound: Ring
}

/** A folder that a thread transfers. */
export interface TransferTask extends ThreadRings {
  readonly folder: string
}
