import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  type Stats,
  statfsSync,
} from 'node:fs'
import { constants as os } from 'node:os'
import { O_PATH, openPlace } from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'

/** As many as the kernel follows. */
const MAX_LINKS = 40

/** What can be made where something is missing. */
export type EntryKind = 'directory' | 'file'

/** A file inside a root directory, named by an open descriptor instead of a path. */
export interface RootEntry {
  /** Opened with O_PATH; the caller of `findEntry` closes it. */
  readonly descriptor: number
  /** Its path without links, relative to the root. */
  readonly names: readonly string[]
  readonly stat: Stats
}

/** How a path is walked. */
export interface WalkOptions {
  /** Missing directories are made, and at the end a file or a directory. Absent: fail with ENOENT. */
  readonly create?: EntryKind
  /** Symbolic links are refused instead of followed. */
  readonly nofollow?: boolean
  /** Called for everything that has to be made; `make` makes it. */
  readonly onCreate?: (creation: Creation, make: () => void) => void
}

/** Something missing that is about to be made. */
export interface Creation {
  /** Descriptor of the directory that it will be in. */
  readonly parent: number
  /** The path of that directory without links, relative to the root. */
  readonly parentNames: readonly string[]
  readonly name: string
  readonly kind: EntryKind
}

/** The path that makes a system call act on exactly what the descriptor names. */
export function descriptorPath(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`
}

/**
 * Finds `path` as a process would whose root directory is `root`: links are followed, but no link
 * and no `..` leads out. Every step goes through a descriptor, so that nothing changes in between.
 * @throws {TsbuildError} STEP_FAILED when the path cannot be walked
 */
export function findEntry(root: number, path: string, options: WalkOptions = {}): RootEntry {
  const found = walkTo(root, path, options)
  if (!isAbsence(found)) return found
  throw pathError(path, walkError(found.code, found.text))
}

/** As `findEntry`, or `undefined` when there is nothing at `path`. Most of what is asked for is not there. */
export function findEntryIfThere(root: number, path: string): RootEntry | undefined {
  const found = walkTo(root, path, {})
  return isAbsence(found) ? undefined : found
}

function walkTo(root: number, path: string, options: WalkOptions): RootEntry | Absence {
  const walk = new Walk(root, path, options)
  try {
    return walk.run()
  } catch (cause) {
    throw cause instanceof TsbuildError ? cause : pathError(path, cause)
  } finally {
    walk.close()
  }
}

/** There is nothing at a path, and why. */
interface Absence {
  readonly code: 'ENOENT' | 'ENOTDIR'
  readonly text: string
}

function isAbsence(found: RootEntry | Absence): found is Absence {
  return 'code' in found
}

const MISSING: Absence = { code: 'ENOENT', text: 'no such file or directory' }

function pathError(path: string, cause: unknown): TsbuildError {
  return new TsbuildError(`find ${path} in the root of the step: ${reasonOf(cause)}`, {
    code: 'STEP_FAILED',
    cause,
  })
}

/** The kernel's message, without the path of a descriptor. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.replace(/, \w+ '\/proc\/self\/fd\/.*'$/, '')
}

/** What a failed system call says, in the words of container engines. */
export function systemReason(cause: unknown): string {
  const errno = errnoOf(cause)
  const reason = errno === undefined ? undefined : REASONS[errno]
  return reason ?? (cause instanceof Error ? cause.message : String(cause))
}

const REASONS: Readonly<Record<string, string>> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  EISDIR: 'is a directory: permission denied',
  ELOOP: 'it leads through a link of /proc, or through too many links',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'exec format error',
  ENOTDIR: 'not a directory',
}

interface Level {
  readonly descriptor: number
  readonly name: string
  readonly stat: Stats
}

class Walk {
  readonly #root: number
  readonly #options: WalkOptions
  readonly #levels: Level[] = []
  #rest: string[]
  #links = 0

  constructor(root: number, path: string, options: WalkOptions) {
    this.#root = root
    this.#options = options
    this.#rest = path.split('/').reverse()
  }

  run(): RootEntry | Absence {
    for (let name = this.#rest.pop(); name !== undefined; name = this.#rest.pop()) {
      if (name === '' || name === '.') continue
      if (name === '..') this.#up()
      else {
        const entry = this.#enter(name)
        if (entry !== undefined) return entry
      }
    }
    const names = this.#names()
    const last = this.#levels.pop()
    if (last !== undefined) return { descriptor: last.descriptor, names, stat: last.stat }
    const descriptor = openSync(descriptorPath(this.#root), O_PATH)
    return { descriptor, names, stat: fstatSync(descriptor) }
  }

  close(): void {
    while (this.#levels.length > 0) this.#up()
  }

  #top(): number {
    return this.#levels.at(-1)?.descriptor ?? this.#root
  }

  #names(): readonly string[] {
    return this.#levels.map((level) => level.name)
  }

  #up(): void {
    const level = this.#levels.pop()
    if (level !== undefined) closeSync(level.descriptor)
  }

  /** True when only empty components follow. */
  #atEnd(): boolean {
    return this.#rest.every((name) => name === '' || name === '.')
  }

  /** @returns what the walk has come to, if it is over */
  #enter(name: string): RootEntry | Absence | undefined {
    const descriptor = openPlace(this.#top(), name) ?? this.#create(name)
    if (descriptor === undefined) return MISSING
    let kept = false
    try {
      const stat = fstatSync(descriptor)
      if (stat.isSymbolicLink()) {
        this.#follow(name)
      } else if (stat.isDirectory()) {
        this.#levels.push({ descriptor, name, stat })
        kept = true
      } else if (this.#rest.length === 0) {
        kept = true
        return { descriptor, names: [...this.#names(), name], stat }
      } else {
        return { code: 'ENOTDIR', text: `${name} is not a directory` }
      }
      return undefined
    } finally {
      if (!kept) closeSync(descriptor)
    }
  }

  #follow(name: string): void {
    this.#links++
    if (this.#options.nofollow === true) throw walkError('ELOOP', `${name} is a symbolic link`)
    if (isMagic(this.#top())) throw walkError('ELOOP', `${name} is a link to a file of a process`)
    if (this.#links > MAX_LINKS) throw walkError('ELOOP', 'too many symbolic links')
    const target = readlinkSync(`${descriptorPath(this.#top())}/${name}`)
    if (target.startsWith('/')) this.close()
    this.#rest.push(...target.split('/').reverse())
  }

  /** @returns its descriptor; `undefined` where nothing is to be made */
  #create(name: string): number | undefined {
    const { create, onCreate } = this.#options
    if (create === undefined) return undefined
    const kind = this.#atEnd() ? create : 'directory'
    const path = `${descriptorPath(this.#top())}/${name}`
    const creation = { parent: this.#top(), parentNames: this.#names(), name, kind }
    const make = (): void => {
      if (kind === 'directory') mkdirSync(path, 0o755)
      else closeSync(openSync(path, CREATE_FLAGS, 0o644))
    }
    try {
      if (onCreate === undefined) make()
      else onCreate(creation, make)
    } catch (failed) {
      // Another step that has the same directory was faster; what it made is checked like anything else.
      if (errnoOf(failed) !== 'EEXIST') throw failed
    }
    return openSync(path, O_PATH | constants.O_NOFOLLOW)
  }
}

const PROC_SUPER_MAGIC = 0x9fa0
const PROC_ROOT_INODE = 1

/**
 * True for the directories of /proc whose links (`exe`, `root`, `fd/3`) lead to a file itself, whatever
 * their text says. Only those at its top (`self`, `mounts`) are links like others.
 */
function isMagic(directory: number): boolean {
  const { type } = statfsSync(descriptorPath(directory))
  return type === PROC_SUPER_MAGIC && fstatSync(directory).ino !== PROC_ROOT_INODE
}

const CREATE_FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/** As of a system call that failed. */
function walkError(code: 'ENOENT' | 'ENOTDIR' | 'ELOOP', message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code, errno: -os.errno[code] })
}
