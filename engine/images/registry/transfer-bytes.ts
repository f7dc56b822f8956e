import type { PushProgress } from '#registry-client'

/** How far a transfer is, without what it is called. */
export type TransferBytes = Omit<PushProgress, 'id'>
