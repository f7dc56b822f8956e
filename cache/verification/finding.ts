/** Something in a store that is not as it has to be. */
export interface Finding {
  /**
   * `damage`: something that the store says does not hold; `leftover`: it only takes space, and some
   * process died or was killed.
   */
  readonly severity: 'damage' | 'leftover'
  /** What is concerned, such as `blob sha256:…` or `layers/0123`. */
  readonly subject: string
  /** What is wrong with it, and what that means. */
  readonly problem: string
  /** What a repair does about it, as the end of a sentence: `sets it aside`. */
  readonly remedy: string
  /** Absent where there is nothing that a program could do. */
  readonly repair?: () => void | Promise<void>
}
