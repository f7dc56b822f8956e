import { HttpError, type HttpErrorCode } from './errors.ts'

/** Something that has to happen within some milliseconds. */
export interface Limit {
  readonly milliseconds: number
  readonly code: HttpErrorCode
  /** What is missing then: `no answer`. */
  readonly missing: string
}

/** One limit at a time, which is set before waiting and cleared after it. */
export class Deadline {
  readonly #onMissed: (error: HttpError) => void
  #timer: NodeJS.Timeout | undefined

  constructor(onMissed: (error: HttpError) => void) {
    this.#onMissed = onMissed
  }

  set({ milliseconds, code, missing }: Limit): void {
    this.clear()
    this.#timer = setTimeout(() => {
      this.#onMissed(new HttpError(`${missing} within ${milliseconds / 1000} s`, { code }))
    }, milliseconds)
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}
