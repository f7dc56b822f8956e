import { ThreadPool } from '#builder/threads'
import { scheduler } from '../schedule/schedule.ts'
import { Gate } from './gate.ts'
import { SMALL_FILE_TASKS } from './small-tasks.ts'
import type * as tasks from './tasks/index.ts'

/** Worker threads for bulk file work. */
export type WorkPool = ThreadPool<typeof tasks>

/** As many as a registry gets connections: more would wait for these, fewer leave a slow network idle. */
const STREAMS = 6

/**
 * Worker threads for at most `size` tasks at a time; none is started before it is needed.
 * @param gate every task passes it, but for those that run beside others
 */
export function workPool(size: number, gate: Gate = new Gate()): WorkPool {
  const schedule = scheduler(size)
  const scheduleStream = scheduler(STREAMS)
  return new ThreadPool({
    doing: 'work on files',
    script: new URL('./file-worker.js', import.meta.url),
    size,
    small: SMALL_FILE_TASKS,
    schedule: (work) => gate.pass(() => schedule(work)),
    scheduleStream: (work) => gate.pass(() => scheduleStream(work)),
    // Walking a tree makes many short-lived objects: by default up to 192 MB of them before the
    // collector looks. Fewer stay in the CPU's cache, so it is faster, too.
    resourceLimits: { maxYoungGenerationSizeMb: 16 },
  })
}
