import { stat } from 'node:fs'
import { TaskThread } from '#builder/threads'
import type * as networkTasks from './network-tasks.ts'

/** The thread that has the hub of containers. */
export type NetworkThread = TaskThread<typeof networkTasks>

/** Starts the thread. */
export async function startNetworkThread(): Promise<NetworkThread> {
  // Node's pool of threads comes into being with the first asynchronous call. That must happen
  // before a thread enters a namespace, because a new thread is in the namespaces of its creator.
  await new Promise((resolve) => stat('/', resolve))
  const script = new URL('./network-worker.js', import.meta.url)
  const thread = new TaskThread<typeof networkTasks>({ doing: 'change networks', script })
  thread.start()
  return thread
}
