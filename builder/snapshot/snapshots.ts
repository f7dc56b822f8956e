import { Resources, type SnapshotterKind, TsbuildError, unreachable } from '#core'
import { OverlaySnapshotter } from './kinds/overlay.ts'
import { EQUAL_KINDS, type Snapshotter, type SnapshotterDeps } from './spec/snapshotter.ts'

/** The snapshotter of a build. */
export interface Snapshots extends AsyncDisposable {
  /**
   * Does work with it, once more with another one where the first turns out not to work here, or not to
   * have the space that a step needs.
   * @throws {TsbuildError} SNAPSHOT_UNAVAILABLE, SNAPSHOT_FULL when there is no other one; what the
   *   work throws
   */
  use<T>(work: (snapshotter: Snapshotter) => Promise<T>): Promise<T>
}

/** How the snapshotter is chosen. */
export interface SnapshotsOptions extends SnapshotterDeps {
  /** `auto`: the first of `EQUAL_KINDS` that works. */
  readonly choice: SnapshotterKind | 'auto'
  /** What an earlier build found out about this machine; only for `auto`. */
  readonly memory: ChoiceMemory
  /** Gets what steps use, once it is used. @param reason why nothing cheaper is used */
  readonly onChoice: (kind: SnapshotterKind, reason: string | undefined) => void
  /** Gets what the user should know. */
  readonly onNotice: (message: string) => void
}

/** Where the choice is kept between builds. */
export interface ChoiceMemory {
  recall(): SnapshotterKind | undefined
  remember(kind: SnapshotterKind): void
}

/** Opens the snapshotter of a build; nothing is tried before a step needs it. */
export function openSnapshots(options: SnapshotsOptions): Snapshots {
  return new ChosenSnapshots(options)
}

class ChosenSnapshots implements Snapshots {
  readonly #options: SnapshotsOptions
  readonly #opened = new Resources()
  readonly #byKind = new Map<SnapshotterKind, Promise<Snapshotter>>()
  /** What is left to try; the first one is in use. */
  #left: readonly SnapshotterKind[] | undefined
  #reason: string | undefined
  /** What was reported, and is remembered. */
  #confirmed: SnapshotterKind | undefined
  #recalled: SnapshotterKind | undefined

  constructor(options: SnapshotsOptions) {
    this.#options = options
  }

  async use<T>(work: (snapshotter: Snapshotter) => Promise<T>): Promise<T> {
    for (;;) {
      const kind = this.#kind()
      try {
        const result = await work(await this.#open(kind))
        this.#confirm(kind)
        return result
      } catch (cause) {
        if (isOf(cause, 'STEP_FAILED') || isOf(cause, 'SNAPSHOT_FULL')) this.#confirm(kind)
        if (isOf(cause, 'SNAPSHOT_FULL') && this.#options.choice === 'auto') {
          this.#options.onNotice(`${cause.message}; it is run again on copies (${cause.hint})`)
          return await work(await this.#open('copies'))
        }
        if (!isOf(cause, 'SNAPSHOT_UNAVAILABLE')) throw cause
        this.#refuse(kind, cause)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened[Symbol.asyncDispose]()
  }

  #kind(): SnapshotterKind {
    this.#left ??= this.#candidates()
    const [first] = this.#left
    if (first === undefined) throw new Error('there is always a snapshotter')
    return first
  }

  /** What was found before comes first; it may have been wrong, or something has changed since. */
  #candidates(): readonly SnapshotterKind[] {
    const { choice, memory } = this.#options
    if (choice !== 'auto') return [choice]
    const known = memory.recall()
    this.#recalled = known
    if (known === undefined) return EQUAL_KINDS
    this.#reason = 'an earlier build found that it is the first that works here'
    return [known, ...EQUAL_KINDS.filter((kind) => kind !== known)]
  }

  #open(kind: SnapshotterKind): Promise<Snapshotter> {
    const known = this.#byKind.get(kind)
    if (known !== undefined) return known
    const opened = openSnapshotter(kind, this.#options).then((one) => this.#opened.use(one))
    this.#byKind.set(kind, opened)
    return opened
  }

  /** A step's mounts were made: reports that once, and remembers it where nothing cheaper works. */
  #confirm(kind: SnapshotterKind): void {
    const { choice, memory, onChoice } = this.#options
    if (this.#confirmed === kind || this.#left?.[0] !== kind) return
    this.#confirmed = kind
    onChoice(kind, this.#reason)
    const isNews = kind !== this.#recalled && (kind !== 'overlay' || this.#recalled !== undefined)
    if (choice === 'auto' && isNews) memory.remember(kind)
  }

  /** Steps run at the same time: what one of them was refused, another may have left already. */
  #refuse(kind: SnapshotterKind, cause: TsbuildError): void {
    if (this.#left?.[0] !== kind) return
    const others = this.#left.slice(1)
    if (others.length === 0) throw cause
    this.#left = others
    const before = this.#reason === undefined ? '' : `${this.#reason}; `
    this.#reason = `${before}${kind}: ${cause.message}`
  }
}

function isOf(
  cause: unknown,
  code: 'SNAPSHOT_FULL' | 'SNAPSHOT_UNAVAILABLE' | 'STEP_FAILED',
): cause is TsbuildError {
  return cause instanceof TsbuildError && cause.code === code
}

/** Most builds need no other code than that of the first. */
async function openSnapshotter(kind: SnapshotterKind, deps: SnapshotterDeps): Promise<Snapshotter> {
  switch (kind) {
    case 'overlay':
      return new OverlaySnapshotter()
    case 'overlay-tmpfs': {
      const { OverlayTmpfsSnapshotter } = await import('./kinds/overlay-tmpfs.ts')
      return new OverlayTmpfsSnapshotter(deps)
    }
    case 'fuse-overlayfs': {
      const { FuseOverlayfsSnapshotter } = await import('./kinds/fuse-overlayfs.ts')
      return new FuseOverlayfsSnapshotter(deps)
    }
    case 'copies': {
      const { CopiesSnapshotter } = await import('./kinds/copies.ts')
      return new CopiesSnapshotter(deps)
    }
    default:
      return unreachable(kind)
  }
}
