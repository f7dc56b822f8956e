export { originalFailure, peerGoneError } from './peer-gone.ts'
export {
  breakRing,
  makeRing,
  type Ring,
  RingWriter,
  readRing,
  resetRing,
} from './ring.ts'
export { type ServeOptions, serveTasks, threadSettings } from './serve-tasks.ts'
export type { TaskInput, TaskMap, TaskOutput, TaskUpdate } from './task-map.ts'
export { type TaskOptions, TaskThread, type ThreadOptions } from './task-thread.ts'
export { ThreadPool, type ThreadPoolOptions } from './thread-pool.ts'
