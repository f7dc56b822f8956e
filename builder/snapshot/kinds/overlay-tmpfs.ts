import { closeSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'
import { fileRights, makeFileSystem, setXattr } from '#builder/linux'
import type { OverlayMount, WritablePart } from '#core'
import type {
  Snapshot,
  Snapshotter,
  SnapshotterDeps,
  View,
  ViewOptions,
} from '../spec/snapshotter.ts'
import { notKeptError, unavailableError } from '../upper/unavailable.ts'
import { hasInvisibleDeletions, withVisibleDeletions } from '../upper/visible-deletions.ts'
import { createWritable } from '../upper/writable.ts'
import { readOnlyOverlay } from './overlay.ts'

/** Bytes: what is smaller is of no use to a step. */
const LEAST = 16 * 1024 * 1024

/**
 * Snapshots by the kernel's overlayfs where the store's file system cannot take what is written, as
 * another overlay cannot: that goes to memory, up to a limit, and what is left when the step has ended
 * is copied to the store.
 */
export class OverlayTmpfsSnapshotter implements Snapshotter {
  readonly kind = 'overlay-tmpfs'
  readonly #deps: Pick<SnapshotterDeps, 'size' | 'work'>
  /** Bytes that snapshots may use at this moment. */
  #granted = 0

  constructor(deps: Pick<SnapshotterDeps, 'size' | 'work'>) {
    this.#deps = deps
  }

  async prepare(
    directory: string,
    lower: readonly string[],
    signal?: AbortSignal,
  ): Promise<Snapshot> {
    const memory = this.#allocate(lower)
    const { upper } = memory.writable
    return {
      root: mountOf(memory),
      changes: async () => {
        await this.#deps.work.copyUpper({ from: upper, to: directory }, signal)
        return directory
      },
      altered: () => undefined,
      exhausted: (isSaid) => (isSaid || isNearlyFull(upper) ? memory.size : undefined),
      [Symbol.asyncDispose]: async () => memory[Symbol.dispose](),
    }
  }

  /** Memory does not last. */
  async reopen(): Promise<Snapshot> {
    throw notKeptError('with overlay-tmpfs, what is written')
  }

  async view(directory: string, lower: readonly string[], options: ViewOptions): Promise<View> {
    if (!options.writable && !hasInvisibleDeletions(lower)) {
      const mount = readOnlyOverlay(directory, lower)
      return { mount, [Symbol.asyncDispose]: async () => undefined }
    }
    const memory = this.#allocate(lower)
    const mount = { ...mountOf(memory), readonly: !options.writable }
    return { mount, [Symbol.asyncDispose]: async () => memory[Symbol.dispose]() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Snapshots hold the memory.
  }

  /** A tmpfs with the two directories, until it is disposed of. */
  #allocate(lower: readonly string[]): MemoryPart {
    const size = this.#deps.size ?? Math.max(LEAST, Math.floor(this.#available() / 2))
    const filesystem = makeTmpfs(size)
    try {
      const place = `/proc/self/fd/${filesystem}`
      const writable = createWritable(`${place}/snapshot`, lower)
      if (fileRights().marks === 'user') checkMarks(writable.work)
      const visible = withVisibleDeletions(lower, (index) => `${place}/deletions-${index}`)
      this.#granted += size
      const release = (): void => {
        this.#granted -= size
        closeSync(filesystem)
      }
      return { lower: visible, writable, filesystem, size, [Symbol.dispose]: release }
    } catch (cause) {
      closeSync(filesystem)
      throw cause
    }
  }

  /** Bytes that are free, and not granted to another snapshot that may yet use them. */
  #available(): number {
    const limit = process.constrainedMemory()
    const ours = limit > 0 ? limit - process.memoryUsage.rss() : Number.POSITIVE_INFINITY
    return Math.min(freemem(), ours) - this.#granted
  }
}

interface MemoryPart extends Disposable {
  readonly lower: readonly string[]
  readonly writable: WritablePart
  readonly filesystem: number
  /** Bytes. */
  readonly size: number
}

function mountOf({ lower, writable, filesystem }: MemoryPart): OverlayMount {
  return { type: 'overlay', target: '/', lower, writable, filesystem }
}

function makeTmpfs(size: number): number {
  try {
    return makeFileSystem('tmpfs', { size: String(size), mode: '700' })
  } catch (cause) {
    throw unavailableError('make a tmpfs for what steps write', cause)
  }
}

/** Before Linux 6.6, a tmpfs has no attributes that overlayfs can use in a user namespace. */
function checkMarks(directory: string): void {
  try {
    setXattr(directory, 'user.overlay.opaque', Buffer.from('y'))
  } catch (cause) {
    throw unavailableError('mark a folder of a tmpfs as opaque', cause)
  }
}

/** A program that ran out of space may have removed what it could not finish. */
const NEARLY = 1 / 8

function isNearlyFull(path: string): boolean {
  const { bavail, blocks, ffree, files } = statfsSync(path)
  return bavail < blocks * NEARLY || ffree < files * NEARLY
}
