export interface ExpandOptions {
  /** The value of a variable, `undefined` when it is unset. */
  readonly lookup: (name: string) => string | undefined
  /** A backslash unless given. */
  readonly escape?: '\\' | '`' | undefined
  /** `keep` leaves quotes as they are: for heredoc bodies. `remove` unless given. */
  readonly quotes?: 'remove' | 'keep' | undefined
  /** Told of every variable that was used without a value and without a fallback. */
  readonly onUndefined?: ((name: string) => void) | undefined
}

/** Expands variables and removes quotes. @throws {TsbuildError} DOCKERFILE_INVALID */
export function expandWord(_raw: string, _options: ExpandOptions): string {
  throw new Error('expandWord is not ready')
}

/** Like `expandWord`, then split at unquoted white space. @throws {TsbuildError} DOCKERFILE_INVALID */
export function expandWords(_raw: string, _options: ExpandOptions): string[] {
  throw new Error('expandWords is not ready')
}
