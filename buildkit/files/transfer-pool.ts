import { ThreadPool } from '#builder/threads'
import { typedFailure } from '#core'
import type * as tasks from './tasks.ts'

/** Threads that transfer folders. */
export type TransferPool = ThreadPool<typeof tasks>

const DOING = 'transfer a folder'
/** Each holds a thread, and four mebibytes, while its client is silent. */
export const MOST_TRANSFERS = 24

/** Threads that are started when they are needed, and kept for the next transfers. The caller sees to their number. */
export function openTransferPool(): TransferPool {
  return new ThreadPool({
    doing: DOING,
    script: new URL('./folder-transfers-worker.js', import.meta.url),
    size: MOST_TRANSFERS,
    small: {
      load: () => import('./tasks.ts'),
      isSmall: {},
      toError: (failure) => typedFailure(DOING, failure),
    },
    schedule: (work) => work(),
    scheduleStream: (work) => work(),
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  })
}
