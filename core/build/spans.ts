import { type BuildPart, eventTime, type OnEvent } from './events.ts'

/** Milliseconds: work of one part that follows this closely is a part of the same span. */
const GAP = 1

interface OpenSpan {
  readonly started: number
  ended: number
  /** Pieces of work that are under way. */
  pending: number
}

/**
 * Measures the parts of a build that are no vertices, and reports each span of time in which there was work
 * of one. Work that overlaps is one span: the keys of forty steps are one event, not forty.
 */
export class Spans {
  readonly #onEvent: OnEvent
  readonly #open = new Map<BuildPart, OpenSpan>()

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent
  }

  /** Performs work of a part. */
  async measure<T>(part: BuildPart, work: () => Promise<T>): Promise<T> {
    this.begin(part)
    try {
      return await work()
    } finally {
      this.#end(part)
    }
  }

  /** Begins work that lasts until `close`. */
  begin(part: BuildPart): void {
    const now = eventTime()
    const known = this.#open.get(part)
    if (known !== undefined && (known.pending > 0 || now - known.ended < GAP)) {
      known.pending += 1
      return
    }
    if (known !== undefined) this.#report(part, known)
    this.#open.set(part, { started: now, ended: now, pending: 1 })
  }

  /** Ends all work, and reports what is not reported yet. Idempotent. */
  close(): void {
    const now = eventTime()
    for (const [part, span] of this.#open) {
      if (span.pending > 0) span.ended = now
      this.#report(part, span)
    }
    this.#open.clear()
  }

  #end(part: BuildPart): void {
    const span = this.#open.get(part)
    // Work that was abandoned may end after the build.
    if (span === undefined) return
    span.pending -= 1
    span.ended = eventTime()
  }

  #report(part: BuildPart, { started, ended }: OpenSpan): void {
    this.#onEvent({ type: 'span', part, started, milliseconds: ended - started })
  }
}
