import type { AtGate, Ended, Launched, LauncherSettings, LaunchRequest } from './messages.ts'
import { WorkerClient } from './worker-client.ts'

export type LauncherClient = WorkerClient<LaunchRequest, AtGate | Launched | Ended>

/** Launch workers: each is busy as long as its step runs, so there are as many as steps overlap. */
export class LauncherPool {
  readonly #settings: LauncherSettings
  readonly #idle: LauncherClient[] = []
  readonly #all = new Set<LauncherClient>()

  constructor(settings: LauncherSettings) {
    this.#settings = settings
  }

  /** A worker that nobody else uses until it is given back. */
  take(): LauncherClient {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    const script = new URL('./launch-worker.js', import.meta.url)
    const client: LauncherClient = new WorkerClient(script, this.#settings)
    this.#all.add(client)
    client.start()
    return client
  }

  giveBack(client: LauncherClient): void {
    this.#idle.push(client)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((client) => client.close()))
  }
}
