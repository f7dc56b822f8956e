import type { Change, EntryChange, Name } from '#core'
import { type ContentsEntry, headerDigest } from '../contents/contents-entry.ts'
import { type PreviousFiles, PreviousLayer } from '../contents/previous-layer.ts'
import { writeError } from '../overlay/write-error.ts'
import { headerOf, type TarWriter } from '../tar/tar-writer.ts'
import { Differences } from './differences.ts'
import {
  type LayerSinks,
  type OpenSinks,
  openSinks,
  type WriteOptions,
  type WrittenLayer,
} from './layer-sinks.ts'
import { LayerWriter, makeChange } from './layer-writer.ts'

/** How a layer is written that is much like an earlier one. */
export interface RewriteOptions extends WriteOptions {
  readonly previous: PreviousFiles
  /** Whether the layers below have something at a path. */
  readonly isBelow: (path: Name) => boolean
}

/**
 * Writes changes as `writeLayer`, from an earlier layer of the same step as far as that has them: the content
 * of a file whose digest is known comes out of the earlier tar, and the directory gets only what differs.
 * The tar is the same that `writeLayer` makes.
 * @returns `undefined` when nothing is known of the earlier layer, or what differs cannot be said
 * @throws {TsbuildError} as `writeLayer`, and DIGEST_MISMATCH when the earlier tar was damaged
 */
export function rewriteLayer(
  changes: Iterable<Change>,
  sinks: LayerSinks,
  options: RewriteOptions,
): WrittenLayer | undefined {
  using previous = PreviousLayer.open(options.previous)
  if (previous === undefined) return undefined
  using open = openSinks(sinks, options)
  const rewriter = new Rewriter(previous, open, options)
  for (const change of changes) {
    rewriter.write(change)
    if (!rewriter.isPossible) break
  }
  rewriter.finish()
  const written = open.finish()
  return rewriter.isPossible ? written : undefined
}

class Rewriter {
  readonly #previous: PreviousLayer
  readonly #tar: TarWriter | undefined
  readonly #onFile: WriteOptions['onFile']
  readonly #differences: Differences | undefined
  readonly #writer: LayerWriter

  constructor(previous: PreviousLayer, { tar, directory }: OpenSinks, options: RewriteOptions) {
    const { onFile, isBelow } = options
    this.#previous = previous
    this.#tar = tar
    this.#onFile = onFile
    this.#writer = new LayerWriter({ tar, directory, onFile })
    if (directory === undefined) return
    this.#differences = new Differences({
      isBelow,
      make: (change) => makeChange(directory, change),
      count: previous.count,
    })
  }

  /** False once the directory cannot have what differs. */
  get isPossible(): boolean {
    if (this.#differences === undefined) return true
    return this.#differences.isPossible && this.#previous.isInOrder
  }

  write(change: Change): void {
    const earlier = this.#previous.find(change.path, (entry) => this.#gone(entry))
    if (earlier !== undefined && change.kind === 'entry' && this.#takeOver(change, earlier)) return
    this.#differences?.other(change, earlier)
    if (this.isPossible) this.#writer.write(change)
  }

  finish(): void {
    this.#previous.finish((entry) => this.#gone(entry))
    this.#differences?.finish()
  }

  #gone(entry: ContentsEntry): void {
    this.#differences?.gone(entry)
  }

  /** @returns false for an entry that is to be written like a new one */
  #takeOver(change: EntryChange, earlier: ContentsEntry): boolean {
    const { path, stat } = change
    const isFile = stat.type === 'file' && change.hardlink === undefined
    const size = isFile ? (change.data?.length ?? stat.size) : 0
    if (isFile && (size !== earlier.size || change.knownDigest?.() !== earlier.digest)) return false
    const blocks = headerOf(change, size)
    if (headerDigest(blocks) !== earlier.header) return false
    try {
      this.#tar?.header(change, size, blocks)
      if (isFile) this.#takeContent(path, earlier)
    } catch (cause) {
      throw writeError(path, cause)
    }
    this.#differences?.same(change)
    return true
  }

  #takeContent(path: Name, earlier: ContentsEntry): void {
    if (earlier.digest === undefined) throw new Error('a file without a digest')
    if (this.#tar !== undefined) {
      this.#previous.copy(earlier, this.#tar)
      this.#tar.pad(earlier.size)
      this.#tar.setDigest(earlier.digest)
    }
    this.#onFile?.(path, earlier.digest)
  }
}
