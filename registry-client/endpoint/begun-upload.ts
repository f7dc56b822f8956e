import type { HttpResponse } from '#http'

/** Milliseconds; registries forget an upload that nothing comes to. */
const LONGEST = 5 * 60_000

/**
 * An upload that was begun to find out whether this is allowed: the answer of the registry. The first blob that is sent
 * goes on with it, so that the question costs no request of its own.
 */
export class BegunUpload {
  #begun: { readonly answer: HttpResponse; readonly at: number } | undefined

  keep(answer: HttpResponse): void {
    this.#begun = { answer, at: performance.now() }
  }

  /** For a blob, once; `undefined` when it is too old, or there is none. */
  take(): HttpResponse | undefined {
    const isUsable = this.#begun !== undefined && performance.now() - this.#begun.at < LONGEST
    return isUsable ? this.leave() : undefined
  }

  /** To be cancelled; `undefined`: there is none. */
  leave(): HttpResponse | undefined {
    const { answer } = this.#begun ?? {}
    this.#begun = undefined
    return answer
  }
}
