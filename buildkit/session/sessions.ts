import type { Duplex } from 'node:stream'
import { TsbuildError, throwIfCancelled } from '#core'
import { HEALTH_TIMES, type HealthTimes } from './health.ts'
import type { SessionIdentity } from './identity.ts'
import { Session } from './session.ts'

/** Sessions at a time. */
const MOST_SESSIONS = 1000
/** Milliseconds in which a session may still come that is asked for. Spec: BuildKit, session/group.go */
const PATIENCE = 5_000

/** How a session is waited for. */
export interface GetOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds; default: 5 s. */
  readonly timeout?: number
}

/** The sessions of a daemon's clients, by their ids, each as long as it lasts. */
export class Sessions implements Disposable {
  readonly #sessions = new Map<string, Session>()
  /** Told when a session has come. */
  readonly #waiting = new Map<string, Set<(session: Session) => void>>()
  readonly #times: HealthTimes

  constructor({ times = HEALTH_TIMES }: { readonly times?: HealthTimes } = {}) {
    this.#times = times
  }

  get size(): number {
    return this.#sessions.size
  }

  /**
   * Refuses a session that could not be added, before its connection is taken over.
   * @throws {TsbuildError} CONFLICT
   */
  check(id: string): void {
    if (this.#sessions.has(id)) {
      throw new TsbuildError(`session ${id} already exists`, { code: 'CONFLICT' })
    }
    if (this.#sessions.size < MOST_SESSIONS) return
    throw new TsbuildError(`there are ${MOST_SESSIONS} sessions already`, {
      code: 'CONFLICT',
      hint: 'end some of the builds',
    })
  }

  /**
   * Takes a session, until it ends.
   * @param bytes its tunnel, which belongs to the session from now on, also when it is refused
   * @throws {TsbuildError} CONFLICT @throws {CallError} UNAVAILABLE
   */
  add(bytes: Duplex, identity: SessionIdentity): Session {
    try {
      this.check(identity.id)
    } catch (refusal) {
      bytes.on('error', () => undefined).destroy()
      throw refusal
    }
    const session = new Session(bytes, identity, this.#times)
    this.#sessions.set(session.id, session)
    session.closed.addEventListener('abort', () => this.#sessions.delete(session.id), {
      once: true,
    })
    for (const take of this.#waiting.get(session.id) ?? []) take(session)
    return session
  }

  /**
   * The session with an id, which may still have to come: clients open it beside their first request.
   * @param id what is before a colon does not count. Spec: BuildKit, session/manager.go
   * @throws {TsbuildError} NOT_FOUND, CANCELLED
   */
  async get(id: string, { signal, timeout = PATIENCE }: GetOptions = {}): Promise<Session> {
    throwIfCancelled(signal, 'wait for the session of the client')
    const name = /^[^:]*:(.+)$/s.exec(id)?.[1] ?? id
    const known = this.#sessions.get(name)
    if (known !== undefined) return known
    const { promise, resolve } = Promise.withResolvers<Session | undefined>()
    const onAbort = (): void => resolve(undefined)
    const waiting = this.#waiting.get(name) ?? new Set()
    this.#waiting.set(name, waiting.add(resolve))
    const timer = setTimeout(onAbort, timeout)
    signal?.addEventListener('abort', onAbort, { once: true })
    const session = await promise
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
    waiting.delete(resolve)
    if (waiting.size === 0) this.#waiting.delete(name)
    throwIfCancelled(signal, 'wait for the session of the client')
    if (session !== undefined) return session
    throw new TsbuildError(`no active session for ${name.slice(0, 100)}`, {
      code: 'NOT_FOUND',
      hint: 'the program that asked for the build has ended, or its connection broke; run it again',
    })
  }

  /** Ends all sessions. */
  [Symbol.dispose](): void {
    for (const session of [...this.#sessions.values()]) session.close('the daemon ends')
  }
}
