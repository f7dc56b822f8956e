import PQueue from 'p-queue'
import { ThreadPool } from '#builder/threads'
import { typedFailure } from '#core'
import type * as tasks from './tasks.ts'

/** Threads for the files of containers. */
export type FilesPool = ThreadPool<typeof tasks>

const DOING = 'work on files of a container'
/** Where streams have all places, what takes no long time has some of its own. */
const STREAMS = 24
const SHORT = 4

/**
 * Threads that are started when they are needed. A client that takes its bytes slowly holds one, so there are many, and
 * tasks that answer at once do not wait for them.
 */
export function openFilesPool(): FilesPool {
  const short = new PQueue({ concurrency: SHORT })
  const streams = new PQueue({ concurrency: STREAMS })
  return new ThreadPool({
    doing: DOING,
    script: new URL('./container-files-worker.js', import.meta.url),
    size: SHORT,
    small: {
      load: () => import('./tasks.ts'),
      isSmall: {},
      toError: (failure) => typedFailure(DOING, failure),
    },
    schedule: (work) => short.add(work),
    scheduleStream: (work) => streams.add(work),
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  })
}
