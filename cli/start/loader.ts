/** Where the program finds what has loaded it; without one, as in tests, it is a file beside others. */
const LOADER = Symbol.for('tsbuild.loader')

/** What the program asks of what has loaded it. */
export interface Loader {
  /** How the thread of a script is started, so that its code is loaded as the program was. */
  readonly threadStart: (script: URL) => ThreadStart
  /** Gives packages, where the program does not lie beside them. */
  readonly require?: (id: string) => unknown
}

/** Options of a worker thread. Its own environment is empty. */
interface ThreadStart {
  readonly script: URL | string
  readonly argv: readonly string[]
  /** Whether `script` is code. */
  readonly eval?: boolean
}

/** Says to the program how it was loaded. */
export function setLoader(loader: Loader): void {
  Reflect.set(globalThis, LOADER, loader)
}
