/** The result of work that can be done a piece at a time, done in one go. */
export function finished<T>(work: Generator<void, T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done) return value
  }
}
