import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
  statfsSync,
} from 'node:fs'
import { layerXattrs } from '#builder/layer'
import { FileFacts, fileStatOf, RootedDirectory } from '#builder/linux'
import {
  baseOf,
  checkpoint,
  type FileStat,
  type Name,
  parentOf,
  type Tree,
  TsbuildError,
  textOfName,
} from '#core'
import { O_PATH } from '#disk'

const READ = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/**
 * File systems that hold no files but show the kernel: reading them all may never end. Spec: statfs(2)
 */
const OF_KERNEL: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x6265_6572, // sysfs
  0x0027_e0eb, // cgroup
  0x6367_7270, // cgroup2
  0x1cd1, // devpts
  0x1980_0202, // mqueue
  0x6462_6720, // debugfs
  0x7472_6163, // tracefs
  0x7363_6673, // securityfs
  0x6265_6570, // configfs
  0xcafe_4a11, // bpf
  0x6165_676c, // pstore
  0xde5e_81e4, // efivarfs
  0x4249_4e4d, // binfmt_misc
  0xf97c_ff8c, // selinuxfs
])
const DEVICES = 'dev'

/**
 * The files of a container as its processes see them, with volumes, but without what the kernel shows and without its
 * devices: their mount points are empty directories. What a process of the container exchanges meanwhile never leads
 * out of the root, because no link is ever followed.
 */
export class RootTree implements Tree, Disposable {
  readonly directory: RootedDirectory
  readonly #device: number
  /** Whether the file system that a number stands for is one of the kernel's. */
  readonly #kinds = new Map<number, boolean>()
  readonly #hidden = new Set<Name>()
  readonly #facts = new FileFacts()

  /**
   * @param descriptor of the root; it stays open
   * @param directory the same, which is closed with the tree; what changes files uses it, too
   */
  constructor(descriptor: number, directory: RootedDirectory = openRoot(descriptor)) {
    this.directory = directory
    this.#device = fstatSync(descriptor).dev
  }

  lstat(path: Name): FileStat | undefined {
    const stats = this.stats(path)
    return stats && fileStatOf(stats, { place: this.directory.place(path) })
  }

  /** What `lstat(2)` says. */
  stats(path: Name): Stats | undefined {
    if (this.isHidden(path)) return undefined
    const stats = this.directory.lstat(path)
    if (stats?.isDirectory() && stats.dev !== this.#device) this.#lookAt(path, stats)
    return stats
  }

  /** The same with times to the nanosecond. */
  exactStats(path: Name): BigIntStats | undefined {
    if (this.stats(path) === undefined) return undefined
    const options = { bigint: true, throwIfNoEntry: false } as const
    return lstatSync(this.directory.place(path), options)
  }

  /** Whether a path lies in a file system that is not shown. Its ancestors were looked up before. */
  isHidden(path: Name): boolean {
    for (const hidden of this.#hidden) if (path.startsWith(`${hidden}/`)) return true
    return false
  }

  /** Whether a directory is the mount point of a file system that is not shown; it was looked up before. */
  isMountOfHidden(path: Name): boolean {
    return this.#hidden.has(path)
  }

  readdir(path: Name): readonly Name[] {
    checkpoint()
    if (this.#hidden.has(path) || this.isHidden(path)) return []
    return readdirSync(this.directory.inside(path), 'latin1').sort() as Name[]
  }

  readlink(path: Name): Name {
    return readlinkSync(this.directory.place(path), 'latin1') as Name
  }

  /** What is not a regular file is never opened: opening a device can have effects, and a pipe may never open. */
  openFile(path: Name): number {
    const place = openSync(this.directory.place(path), O_PATH | constants.O_NOFOLLOW)
    try {
      if (fstatSync(place).isFile()) return openSync(`/proc/self/fd/${place}`, READ)
      throw new TsbuildError(`open ${JSON.stringify(`/${textOfName(path)}`)}: not a regular file`, {
        code: 'IO_FAILED',
      })
    } finally {
      closeSync(place)
    }
  }

  xattrs(path: Name): ReadonlyMap<string, Buffer> {
    return layerXattrs(this.directory.place(path))
  }

  /** Whether something is mounted at a path, in the namespace of the root. */
  isMountPoint(path: Name): boolean {
    const parent = this.directory.directory(parentOf(path))
    const isThere = parent !== undefined && this.#facts.read(parent, baseOf(path))
    return isThere && this.#facts.isMountPoint
  }

  /** Whether a directory is on another file system than the root. */
  isElsewhere(path: Name): boolean {
    return this.directory.lstat(path)?.dev !== this.#device
  }

  close(): void {
    this.directory.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #lookAt(path: Name, { dev }: Stats): void {
    const known = this.#kinds.get(dev)
    const isOfKernel = known ?? OF_KERNEL.has(statfsSync(`${this.directory.inside(path)}/.`).type)
    this.#kinds.set(dev, isOfKernel)
    if (isOfKernel || path === DEVICES) this.#hidden.add(path)
  }
}

function openRoot(descriptor: number): RootedDirectory {
  return new RootedDirectory(rootPlace(descriptor))
}

/** Where the kernel finds a root that is open. */
export function rootPlace(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`
}
