import { setTimeout } from 'node:timers/promises'
import type { StatusResponse } from '#buildkit/messages'
import { type BuildEventListener, digestOf, eventTime, type OnEvent, timed } from '#core'
import type { SourceFile } from '#parser'
import { BuildTranslator } from './build-translator.ts'
import { LOG_LIMITS, type LogLimits } from './log-clip.ts'
import { DEFINITION } from './own-vertices.ts'
import { responsesOf } from './responses.ts'
import { type Cursor, StatusTable } from './status-table.ts'

/** Output of all steps that is kept for readers, bytes. */
const LOG_CAPACITY = 16 * 1024 * 1024
/** Between two looks of one reader, milliseconds. */
const INTERVAL = 100

export interface StatusFeedOptions {
  /** What clients call the build: vertices of two builds, which may be shown together, have other digests. */
  readonly ref: string
  /** Of each stream of a step. Default: BuildKit's. */
  readonly limits?: LogLimits
  /** Bytes of output that are kept for readers. Default: 16 MiB. */
  readonly logCapacity?: number
}

/** Whose events come, where a feed gets those of several builds. */
export interface FedBuild {
  /** Told apart by it; vertices of the same ID are one in the same scope. Default: that of `onEvent`. */
  readonly scope?: string
  /** It is for several platforms, so names say for which one. Default: no. */
  readonly hasPlatforms?: boolean
}

/**
 * What happens in a build, for BuildKit's clients: events go in, and any number of readers get what has changed,
 * at any time. A late reader gets all so far: of vertices the last state, of output the latest 16 MiB. That is also
 * how far a slow reader may be behind; nothing waits for readers, and a reader holds one response and little more.
 */
export class StatusFeed {
  /** Takes what the server itself does for the build; see `reportTransfer`. */
  readonly onEvent: OnEvent
  readonly #options: StatusFeedOptions
  readonly #limits: LogLimits
  readonly #table: StatusTable
  readonly #bells = new Set<Bell>()
  readonly #closing = new AbortController()
  #dockerfile: SourceFile | undefined
  #failed: string | undefined

  constructor(options: StatusFeedOptions) {
    this.#options = options
    this.#limits = options.limits ?? LOG_LIMITS
    this.#table = new StatusTable(options.logCapacity ?? LOG_CAPACITY)
    this.onEvent = timed(this.listener())
  }

  /** The digest of the vertex that has failed first. */
  get failedVertex(): string | undefined {
    return this.#failed
  }

  /** What the lines of warnings that come from now on belong to. */
  setDockerfile(source: SourceFile): void {
    this.#dockerfile = source
  }

  /** Takes the events of one build. Never throws; what comes after `close` is left out. */
  listener({ scope = '', hasPlatforms = false }: FedBuild = {}): BuildEventListener {
    const translator = new BuildTranslator(this.#table, {
      space: `${this.#options.ref}\n${scope}`,
      hasPlatforms,
      limits: this.#limits,
      definition: digestOf(`${this.#options.ref}\n\n${DEFINITION.id}`),
      dockerfile: () => this.#dockerfile,
      onFailure: (digest) => {
        this.#failed ??= digest
      },
    })
    return (event) => {
      if (this.#closing.signal.aborted) return
      translator.handle(event)
      for (const bell of this.#bells) bell.ring()
    }
  }

  /** Ends the feed: what is under way was stopped. Idempotent. */
  close(): void {
    if (this.#closing.signal.aborted) return
    this.#table.endAll(eventTime())
    this.#closing.abort()
  }

  /** All so far, then what changes, until the feed is closed or `signal` is aborted. */
  async *read(signal?: AbortSignal): AsyncGenerator<StatusResponse, void, undefined> {
    const ends = this.#closing.signal
    const stop = signal === undefined ? ends : AbortSignal.any([ends, signal])
    const bell = new Bell()
    this.#bells.add(bell)
    const ring = (): void => bell.ring()
    stop.addEventListener('abort', ring, { once: true })
    try {
      let cursor: Cursor = { state: 0, logs: 0 }
      for (;;) {
        if (signal?.aborted === true) return
        const isLast = ends.aborted
        const { changes, next, isAll } = this.#table.changesSince(cursor)
        cursor = next
        yield* responsesOf(changes)
        if (!isAll) continue
        if (isLast) return
        await bell.heard()
        // More may change within a moment; the end is not waited for.
        await setTimeout(INTERVAL, undefined, { signal: stop }).catch(() => undefined)
      }
    } finally {
      stop.removeEventListener('abort', ring)
      this.#bells.delete(bell)
    }
  }
}

/** Wakes one reader, also when it rang before. */
class Bell {
  #hasRung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#hasRung = true
    this.#wake?.()
  }

  async heard(): Promise<void> {
    if (!this.#hasRung) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
      this.#wake = undefined
    }
    this.#hasRung = false
  }
}
