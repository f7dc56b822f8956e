/** What is waited for. Spec: Docker Engine API, POST /containers/{id}/wait */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed'

/** Those who wait for the end of a container, or its removal. */
export class Waiters {
  #end = Promise.withResolvers<number>()
  readonly #removal = Promise.withResolvers<number>()

  /** @returns the exit code */
  wait(condition: WaitCondition): Promise<number> {
    return condition === 'removed' ? this.#removal.promise : this.#end.promise
  }

  ended(exitCode: number): void {
    this.#end.resolve(exitCode)
    this.#end = Promise.withResolvers()
  }

  removed(exitCode: number): void {
    this.ended(exitCode)
    this.#removal.resolve(exitCode)
  }
}
