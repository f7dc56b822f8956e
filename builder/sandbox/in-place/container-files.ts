/**
 * Files that the container needs for itself, so that no layer takes their place: what a step writes there
 * would be seen by later steps, and by the builder when it pulls and pushes.
 */
import {
  chmodSync,
  lchownSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { deviceNumbers, makeNode, mountPoints } from '#builder/linux'
import { errnoOf, TsbuildError, textOfName } from '#core'
import { removeTreeSync } from '#disk'
import { readSurroundings } from './container.ts'

const FILES = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf']
/** Of these only what a step adds is undone. */
const SHARED_MEMORY = ['/dev/shm', '/dev/mqueue']
/** The first namespace of a machine. */
const IPC_OF_MACHINE = 'ipc:[4026531839]'

/** Notes what the container has. @returns what restores it after a step */
export function noteContainerFiles(env: NodeJS.ProcessEnv): () => void {
  const devices = namesIn('/dev').map((name) => `/dev/${name}`)
  const noted = [...FILES, ...devices].flatMap((path) => noteFile(path) ?? [])
  const memory = sharesMemory(env) ? [] : SHARED_MEMORY
  const known = new Set([...devices, ...memory.flatMap(entriesIn)])
  return () => {
    const mounted = new Set(mountPoints().map(textOfName))
    for (const path of ['/dev', ...memory].flatMap(entriesIn)) {
      if (!known.has(path) && !mounted.has(path)) removeTreeSync(path)
    }
    for (const file of noted) restore(file)
  }
}

/** Other containers of a pod, or the machine, may have put something there meanwhile. */
function sharesMemory(env: NodeJS.ProcessEnv): boolean {
  if (env.KUBERNETES_SERVICE_HOST !== undefined) return true
  return readSurroundings(env).namespace('ipc') === IPC_OF_MACHINE
}

function entriesIn(directory: string): readonly string[] {
  return namesIn(directory).map((name) => `${directory}/${name}`)
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return []
    throw cause
  }
}

interface NotedFile {
  readonly path: string
  readonly stat: Stats
  /** Of a file or a link. */
  readonly content: string
}

/** Directories are mount points, which a step cannot remove. */
function noteFile(path: string): NotedFile | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined || stat.isDirectory()) return undefined
  return { path, stat, content: contentOf(path, stat) }
}

function contentOf(path: string, stat: Stats): string {
  if (stat.isFile()) return readFileSync(path, 'latin1')
  return stat.isSymbolicLink() ? readlinkSync(path) : ''
}

function restore(noted: NotedFile): void {
  const { path, stat, content } = noted
  const now = lstatSync(path, { throwIfNoEntry: false })
  if (now === undefined || typeOf(now) !== typeOf(stat) || now.rdev !== stat.rdev) {
    if (now !== undefined) removeTreeSync(path)
    make(noted)
  } else if (contentOf(path, now) !== content) {
    // Of a mounted file only the content can be replaced.
    if (!stat.isFile()) removeTreeSync(path)
    make(noted)
  } else if (now.mode === stat.mode && now.uid === stat.uid && now.gid === stat.gid) return
  lchownSync(path, stat.uid, stat.gid)
  if (!stat.isSymbolicLink()) chmodSync(path, stat.mode & 0o7777)
}

function typeOf({ mode }: Stats): number {
  return mode & 0o170000
}

function make({ path, stat, content }: NotedFile): void {
  try {
    if (stat.isFile()) writeFileSync(path, content, 'latin1')
    else if (stat.isSymbolicLink()) symlinkSync(content, path)
    else if (stat.isCharacterDevice())
      makeNode(path, 'character', { mode: stat.mode & 0o7777, ...deviceNumbers(stat.rdev) })
  } catch (cause) {
    throw new TsbuildError(`the step has removed ${path} of the container, which later ones need`, {
      code: 'STEP_FAILED',
      cause,
      hint: 'steps in place have the /dev of the container: leave it alone, or give the container the capability MKNOD',
    })
  }
}
