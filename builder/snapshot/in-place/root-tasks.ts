/** The tasks of the thread that makes the root of this process show stacks of layers. */
import { stackTree, type WrittenTar } from '#builder/layer'
import { threadSettings } from '#builder/threads'
import { type Name, type Tree, TsbuildError, textOfName } from '#core'
import { PlacedRoot } from '../placed/placed-root.ts'
import { collisionHint } from './collision-hints.ts'
import { KeptWatch, type WatchedFolders } from './kept-watch.ts'

/** What the thread is started with. */
export interface RootSettings {
  /** Absolute paths that belong to the builder. */
  readonly keep: readonly string[]
  /** Of what is kept, in which steps must change nothing. */
  readonly watched: WatchedFolders
}

/** What every container has of its own, whatever an image has there. */
const OF_CONTAINERS =
  /^(?:dev|proc|sys|\.dockerenv|run\/\.containerenv|etc\/(?:hosts|hostname|resolv\.conf))(?:\/|$)/

let placed: PlacedRoot | undefined
let watch: KeptWatch | undefined
let warn: (message: string) => void = () => undefined

function threadRoot(): PlacedRoot {
  const { keep } = threadSettings<RootSettings>()
  placed ??= new PlacedRoot('/', { keep, onWarning: (message) => warn(message) })
  return placed
}

/**
 * Makes the root show a stack, topmost first.
 * @param post gets warnings
 * @throws {TsbuildError} STEP_FAILED when the stack has files where the container needs its own
 */
export function place(lower: readonly string[], post: (warning: string) => void): void {
  warn = post
  const { hidden } = threadRoot().place(lower)
  refuseHidden(
    hidden.filter((path) => !OF_CONTAINERS.test(path)),
    lower,
  )
  watch ??= new KeptWatch(threadSettings<RootSettings>().watched)
  watch.begin()
}

function refuseHidden(own: readonly Name[], lower: readonly string[]): void {
  if (own.length === 0) return
  const tree = stackTree(lower)
  try {
    const lost = own.find((path) => !isEmptyDirectory(tree, path))
    if (lost === undefined) return
    // What is hidden is remembered with what is shown.
    placed = undefined
    throw hiddenError(lost)
  } finally {
    tree.close()
  }
}

/**
 * Writes what was changed in it to a new directory, in overlay form; it is shown from then on.
 * @throws {TsbuildError} STEP_FAILED when something was changed that is in no layer
 */
export function collect(upper: string): void {
  watch?.check()
  threadRoot().collect(upper)
}

/** A tar to write what was changed to. */
export interface PackTask {
  readonly tar: string
  /** No entry is newer; milliseconds. */
  readonly maxMtime: number | undefined
}

/** As `collect`, but to a new tar. */
export function pack({ tar, maxMtime }: PackTask): WrittenTar {
  watch?.check()
  return threadRoot().pack(tar, { maxMtime })
}

/** Says that what was collected last has been changed since. */
export function forgetCollected(): void {
  threadRoot().forgetCollected()
}

function isEmptyDirectory(tree: Tree, path: Name): boolean {
  return tree.lstat(path)?.type === 'directory' && tree.readdir(path).length === 0
}

function hiddenError(path: Name): TsbuildError {
  const text = `/${textOfName(path)}`
  const { contexts } = threadSettings<RootSettings>().watched
  return new TsbuildError(
    `show the stage in the root of the container: it has files at ${text}, which the build or the container needs`,
    { code: 'STEP_FAILED', hint: collisionHint(text, contexts) },
  )
}
