/*
 * What has loaded this program (`cli/start`), for the program. Both are bundled apart, so that they meet over a
 * property of the global object.
 */
const LOADER = Symbol.for('tsbuild.loader')

/** What the program asks of what has loaded it. */
export interface ProgramLoader {
  /** How the thread of a script is started, so that its code is loaded as the program was. */
  readonly threadStart: (script: URL) => ThreadStart
  /** Gives packages, where the program does not lie beside them. */
  readonly require?: (id: string) => unknown
}

/** Options of a worker thread. Its own environment is empty. */
export interface ThreadStart {
  readonly script: URL | string
  readonly argv: readonly string[]
  /** Whether `script` is code. */
  readonly eval?: boolean
}

/** Says how the program is loaded, before it is. */
export function setProgramLoader(loader: ProgramLoader): void {
  Reflect.set(globalThis, LOADER, loader)
}

/** `undefined` in a program that imports the library, and in tests: modules lie beside their packages. */
export function programLoader(): ProgramLoader | undefined {
  return Reflect.get(globalThis, LOADER)
}
