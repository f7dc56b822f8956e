import type { WrittenTar } from '#builder/layer'
import type { BindMount, DetachedMount, OverlayMount, SnapshotterKind } from '#core'
import type { UpperCopy } from '../upper/copy-upper.ts'
import type { FuseUpper } from '../upper/fuse-upper.ts'

/**
 * Those that give the same layers whatever steps do, from the cheapest to the one that works everywhere.
 * fuse-overlayfs forgets deletions in rare cases (ADR 27), so it is used only where it is asked for.
 */
export const EQUAL_KINDS: readonly SnapshotterKind[] = ['overlay', 'overlay-tmpfs', 'copies']

/** Layers, or a part of them, as a sandbox mounts them. */
export type LayersMount = OverlayMount | DetachedMount | BindMount

/** Makes views of layers (directories in overlay form, topmost first) that steps read and write. */
export interface Snapshotter extends AsyncDisposable {
  /** `in-place`: the root of this process is the step's. */
  readonly kind: SnapshotterKind | 'in-place'
  /**
   * The root of a step: the layers, and what the step changes in them.
   * @param directory absolute, must not exist, on the store's file system; the caller removes it
   * @throws {TsbuildError} SNAPSHOT_UNAVAILABLE where this host has no such snapshots, IO_FAILED,
   *   NO_SPACE, PERMISSION_DENIED, CANCELLED
   */
  prepare(directory: string, lower: readonly string[], signal?: AbortSignal): Promise<Snapshot>
  /**
   * The same root again, with what was changed in it, after its snapshot was disposed of or its process was killed;
   * or a new one where nothing is at `directory`. What is written to it stays there until the caller removes it.
   * @param lower the same as before
   * @throws {TsbuildError} as `prepare`; SNAPSHOT_UNAVAILABLE where nothing that is written can stay
   */
  reopen(directory: string, lower: readonly string[], signal?: AbortSignal): Promise<Snapshot>
  /**
   * Layers that are mounted besides the root; what is written to them is dropped.
   * @throws {TsbuildError} as `prepare`
   */
  view(directory: string, lower: readonly string[], options: ViewOptions): Promise<View>
}

/** The root of one step. Disposing releases what it holds, and drops what was not taken. */
export interface Snapshot extends AsyncDisposable {
  /** As the sandbox takes it; its target is `/`. */
  readonly root: LayersMount
  /**
   * The directory in overlay form with what the step changed, on the store's file system; the caller may
   * move it. To be called once, when the step has ended.
   */
  changes(): Promise<string>
  /** To be called when the caller has changed files in that directory, such as their times. */
  altered(): void
  /**
   * The same as a new tar on the store's file system, with no entry newer than `maxMtime` (milliseconds), in
   * the place of `changes`. Absent where files have to be made first.
   */
  pack?(tar: string, maxMtime: number | undefined): Promise<WrittenTar>
  /**
   * Whether a step that failed did so because it used up a space that is smaller than the store's.
   * @param isSaid it wrote that no space is left
   * @returns the bytes of that space; `undefined`: it failed for another reason
   */
  exhausted(isSaid: boolean): number | undefined
}

/** How layers besides the root are shown. */
export interface ViewOptions {
  /** A step may write to them. */
  readonly writable: boolean
  readonly signal?: AbortSignal | undefined
}

/** Layers that are mounted besides the root of a step, until they are disposed of. */
export interface View extends AsyncDisposable {
  /** The caller gives it another target, and says which part of it is shown. */
  readonly mount: LayersMount
}

/** What snapshotters need. */
export interface SnapshotterDeps {
  /** Bytes in memory for what one step writes; `undefined`: a part of what this process may have. */
  readonly size: number | undefined
  /** Makes a directory on the store's file system, which the caller of all this removes. */
  readonly scratch: () => string
  /** File work, done in threads. */
  readonly work: SnapshotWork
}

/** File work that snapshotters ask for. */
export interface SnapshotWork {
  /** `copyUpper` of this area. */
  copyUpper(paths: UpperCopy, signal: AbortSignal | undefined): Promise<void>
  /** `adoptFuseUpper` of this area. */
  adoptFuseUpper(written: FuseUpper, signal: AbortSignal | undefined): Promise<void>
}
