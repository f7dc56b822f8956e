/** A shell command, whose output and exit code are compared. `docker` is the client under test. */
export type Step = string | Dialogue | Awaiting

/** A shell command on a terminal, and what a person types when something has been shown. */
export interface Dialogue {
  readonly terminal: string
  /** What is compared: all that is shown, or only how it ends, where a program writes its prompt at any time. */
  readonly compares?: 'all' | 'end'
  readonly dialogue: readonly (readonly [shown: RegExp, typed: string])[]
}

/** A shell command that is run again until its output matches. Only whether it did is compared. */
export interface Awaiting {
  readonly until: string
  readonly shows: RegExp
}

/**
 * Commands that are typed one after another into bash, in a folder of their own that begins empty. They find the
 * image `busybox`, and no container, network or volume. Names that they give must not be random: those are not
 * told apart from other words.
 */
export interface Session {
  readonly name: string
  /** What of an engine it is not played without. */
  readonly needs?: 'limits'
  readonly steps: readonly Step[]
}

/** How a step is named where it failed. */
export function titleOf(step: Step): string {
  if (typeof step === 'string') return step
  return 'terminal' in step ? step.terminal : `until ${step.until}`
}
