import { HttpError, type HttpErrorCode } from './errors.ts'

/** Something that has to happen within some milliseconds. */
export interface Limit {
  readonly milliseconds: number
  readonly code: HttpErrorCode
  /** What is missing then: `no answer`. */
  readonly missing: string
}

/**
 * One limit at a time, which is set before waiting and cleared after it. What arrived while the thread
 * was busy counts: after the time is up, the event loop looks once more before the limit is missed.
 */
export class Deadline {
  readonly #onMissed: (error: HttpError) => void
  #timer: NodeJS.Timeout | undefined
  #lastLook: NodeJS.Immediate | undefined

  constructor(onMissed: (error: HttpError) => void) {
    this.#onMissed = onMissed
  }

  set({ milliseconds, code, missing }: Limit): void {
    this.clear()
    const miss = (): void =>
      this.#onMissed(new HttpError(`${missing} within ${milliseconds / 1000} s`, { code }))
    this.#timer = setTimeout(() => {
      this.#lastLook = setImmediate(miss)
    }, milliseconds)
  }

  clear(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#lastLook)
  }
}
