/** Set by what loads the program (`cli/start`). */
const FOLDER = Symbol.for('tsbuild.code-folder')

/**
 * Arguments of a new thread: the folder of compiled code, so that its code is loaded from there as the
 * program was. None in a program that imports the library, and in tests: then it is compiled.
 */
export function loaderArguments(): readonly string[] {
  const folder: unknown = Reflect.get(globalThis, FOLDER)
  return typeof folder === 'string' ? [folder] : []
}
