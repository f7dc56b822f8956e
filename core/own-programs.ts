/**
 * Where the builder finds programs that it starts itself. Once steps run in its own root, what a `PATH`
 * leads to there is a stage's: such a program would be given credentials.
 */

/** A program, as it is started. */
export interface OwnProgram {
  /** A path, or a name to look for in `path`. */
  readonly file: string
  /** What the program itself gets as its `PATH`. */
  readonly path: string
}

const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'
const NOWHERE = '/nonexistent'

let keptPaths: readonly string[] | undefined

/**
 * From now on, programs are only found at these absolute paths and below them. `undefined`: wherever `PATH`
 * leads. For the whole process, as its root is.
 */
export function keepPrograms(kept: readonly string[] | undefined): void {
  keptPaths = kept
}

/**
 * Where to look for a program of this name. Relative folders are left out: they would lead into a checkout,
 * for example, which may hold a program that is called git.
 */
export function ownProgram(name: string, path: string = DEFAULT_PATH): OwnProgram {
  const absolute = path.split(':').filter((folder) => folder.startsWith('/'))
  if (keptPaths === undefined) return { file: name, path: absolute.join(':') || NOWHERE }
  const kept = keptPaths
  const folders = absolute.filter((folder) =>
    kept.some((one) => `${folder}/`.startsWith(`${one}/`)),
  )
  const file = absolute.map((folder) => `${folder}/${name}`).find((one) => kept.includes(one))
  return { file: file ?? name, path: folders.join(':') || NOWHERE }
}
