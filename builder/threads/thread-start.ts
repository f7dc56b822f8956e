/** Set by what loads the program (`cli/start`). */
const LOADER = Symbol.for('tsbuild.loader')

/** How a worker thread is started. */
export interface ThreadStart {
  readonly script: URL | string
  readonly argv: readonly string[]
  /** Whether `script` is code. */
  readonly eval?: boolean
}

/**
 * How the thread of `script` is started so that its code is loaded as the program was: compiled, or from one
 * executable file. As it is in a program that imports the library, and in tests.
 */
export function threadStart(script: URL): ThreadStart {
  const loader: { threadStart(script: URL): ThreadStart } | undefined = Reflect.get(
    globalThis,
    LOADER,
  )
  return loader?.threadStart(script) ?? { script, argv: [] }
}
