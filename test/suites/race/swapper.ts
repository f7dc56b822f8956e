import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/**
 * Lets another thread exchange two paths again and again, as fast as it can, until it is disposed of: the
 * hardest that whoever shares a folder can do to those who look a path up in it.
 */
export async function startSwapper(a: string, b: string): Promise<AsyncDisposable> {
  const thread = new Worker(new URL('./swapping-thread.js', import.meta.url), {
    workerData: { a, b },
  })
  await once(thread, 'message')
  return { [Symbol.asyncDispose]: async () => void (await thread.terminate()) }
}
