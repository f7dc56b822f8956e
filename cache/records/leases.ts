import { setTimeout } from 'node:timers/promises'
import { TsbuildError } from '#core'
import type { Presence } from '../filesystem/presence.ts'
import { type OnWait, Waiting } from '../filesystem/waits.ts'
import type { CacheKey } from './cache-key.ts'
import type { Database } from './database.ts'

/** How a lease is waited for. */
export interface LeaseOptions {
  readonly signal?: AbortSignal | undefined
  /** What is done under the lease: reported to those that wait for it. */
  readonly what?: string | undefined
}

const POLL_MILLISECONDS = { first: 2, last: 50 }
/** To see a holder's death costs more than to see its release. */
const SUSPICIOUS_MILLISECONDS = 20

/**
 * The right to execute a step, one holder in all processes. A lease is a row that names its holder's
 * `Presence`, so it is void once that process has ended. It saves work and guards nothing: two holders
 * would do the same step twice and commit the same result.
 */
export class Leases {
  readonly #database: Database
  readonly #presence: Presence
  readonly #onWait: OnWait | undefined
  #tokens = 0

  /** @param onWait gets waits for other processes, and for other stores of this one */
  constructor(database: Database, presence: Presence, onWait: OnWait | undefined) {
    this.#database = database
    this.#presence = presence
    this.#onWait = onWait
  }

  /** @throws {TsbuildError} CANCELLED when `signal` aborts */
  async take(key: CacheKey, options: LeaseOptions = {}): Promise<AsyncDisposable> {
    const waiting = new Waiting(this.#onWait)
    return waiting.during(() => this.#take(key, options, waiting))
  }

  async #take(
    key: CacheKey,
    { signal, what = key }: LeaseOptions,
    waiting: Waiting,
  ): Promise<AsyncDisposable> {
    this.#presence.establish()
    const token = this.#tokens++
    for (
      let pause = POLL_MILLISECONDS.first;
      ;
      pause = Math.min(pause * 1.5, POLL_MILLISECONDS.last)
    ) {
      if (signal?.aborted) throw leaseCancelledError(signal)
      const holder = this.#tryTake(key, token)
      if (holder === undefined)
        return { [Symbol.asyncDispose]: async () => this.#release(key, token) }
      if (holder.id !== this.#presence.id) {
        waiting.begin(`process ${holder.pid}, which does the same: ${what}`)
      }
      const isGone = pause > SUSPICIOUS_MILLISECONDS && !this.#presence.isAlive(holder.id)
      if (isGone) this.#evict(key, holder)
      else await sleep(pause * (0.75 + Math.random() / 2), signal)
    }
  }

  /** After a reboot: no holder is left. */
  clear(): void {
    this.#database.run('DELETE FROM leases')
  }

  /** `undefined` when the lease was taken, else its holder. */
  #tryTake(key: CacheKey, token: number): Holder | undefined {
    for (;;) {
      const row = this.#database.get('SELECT * FROM leases WHERE key = ?', key)
      if (row !== undefined) {
        return { id: String(row.holder), token: Number(row.token), pid: Number(row.pid) }
      }
      const taken = this.#database.run(
        'INSERT INTO leases (key, holder, token, pid) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
        ...[key, this.#presence.id, token, process.pid],
      )
      if (taken === 1) return undefined
    }
  }

  #release(key: CacheKey, token: number): void {
    this.#evict(key, { id: this.#presence.id, token })
  }

  #evict(key: CacheKey, holder: Pick<Holder, 'id' | 'token'>): void {
    this.#database.run(
      'DELETE FROM leases WHERE key = ? AND holder = ? AND token = ?',
      ...[key, holder.id, holder.token],
    )
  }
}

/** The holder of a lease. */
interface Holder {
  readonly id: string
  readonly token: number
  readonly pid: number
}

async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch (cause) {
    if (signal?.aborted) throw leaseCancelledError(signal)
    throw cause
  }
}

function leaseCancelledError(signal: AbortSignal): TsbuildError {
  return new TsbuildError('wait for a step: cancelled', { code: 'CANCELLED', cause: signal.reason })
}
