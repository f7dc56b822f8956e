import { availableParallelism } from 'node:os'

/** How many blocks are in memory, packed or not, while others are packed on libuv's thread pool. */
export const MAX_IN_FLIGHT: number = Math.min(16, availableParallelism() + 2)
