import type { ClientRequest, RequestOptions } from 'node:http'
import type { ProxyServer } from '../proxy/proxy-server.ts'
import type { Dialer } from './agents.ts'

/**
 * A bounded number of kept connections to one origin. The bound is kept here and not by Node's agent,
 * whose queue still holds a request that was cancelled, and opens a connection for it.
 */
export class Connections {
  readonly #dialer: Dialer
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(dialer: Dialer, limit: number) {
    this.#dialer = dialer
    this.#free = limit
  }

  /** Starts a request once there is a place for it; `close` of the request frees the place. */
  async start(url: URL, options: RequestOptions, signal: AbortSignal): Promise<ClientRequest> {
    await this.#take(signal)
    try {
      signal.throwIfAborted()
      const { agent } = this.#dialer
      const request = this.#dialer.request(url, { ...options, agent }, signal)
      request.once('close', () => this.#give())
      return request
    } catch (error) {
      this.#give()
      throw error
    }
  }

  /** What all of them go through. */
  get proxy(): ProxyServer | undefined {
    return this.#dialer.proxy
  }

  /** Ends those that no request uses. */
  closeIdle(): void {
    for (const sockets of Object.values(this.#dialer.agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy()
    }
  }

  /** First come, first served. Rejects when `signal` is aborted. */
  async #take(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = (): void => {
      this.#waiting.delete(resolve)
      reject(signal.reason)
    }
    this.#waiting.add(resolve)
    signal.addEventListener('abort', leave)
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  #give(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
