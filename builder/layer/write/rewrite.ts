import { type Change, type EntryChange, type Name, parentOf } from '#core'
import { type ContentsEntry, endOf } from '../contents/contents-entry.ts'
import { PreviousLayer } from '../contents/previous-layer.ts'
import { headerKey } from '../tar/header-encoder.ts'
import { Differences } from './differences.ts'
import { type OpenSinks, openSinks, type WriteOptions } from './layer-sinks.ts'
import { LayerWriter, makeChange } from './layer-writer.ts'
import { TarParts, type TarRecipe } from './tar-recipe.ts'

/** Where the parts of a layer go that an earlier one has not. */
export interface RewriteSinks {
  /** A file to create, for bytes of the tar. Without it there is no recipe. */
  readonly pieces?: string
  /** With `pieces`: a file to create, for what is where in the tar; `assembleTar` completes it. */
  readonly contents?: string
  /** As in `LayerSinks`. */
  readonly directory?: string
}

/** How a layer is written that is much like an earlier one. */
export interface RewriteOptions extends WriteOptions {
  /** What is noted of the earlier layer's tar. */
  readonly previous: string
  /** Whether the layers below have something at a path. */
  readonly isBelow: (path: Name) => boolean
  /** Whether this layer has what the earlier one has at a path that is not among the changes; default: it has not. */
  readonly isLeft?: ((path: Name) => boolean) | undefined
  /** Called with the path of what the earlier layer has not as it is, and the folder of what only that one has. */
  readonly onDifference?: ((path: Name) => void) | undefined
}

/** What was found out about a layer. */
export interface RewrittenLayer {
  /** The tar that `writeLayer` makes. */
  readonly recipe?: TarRecipe
}

/**
 * Compares changes with an earlier layer of the same step, and writes what that has not: the content of a file
 * whose digest is known is not read, and the directory gets only what differs.
 * @returns `undefined` when nothing is known of the earlier layer, or what differs cannot be said
 * @throws {TsbuildError} as `writeLayer`
 */
export function rewriteLayer(
  changes: Iterable<Change>,
  { pieces, contents, directory }: RewriteSinks,
  options: RewriteOptions,
): RewrittenLayer | undefined {
  using previous = PreviousLayer.open(options.previous)
  if (previous === undefined) return undefined
  const sinks = {
    ...(pieces === undefined ? {} : { tar: pieces }),
    ...(contents === undefined ? {} : { contents }),
    ...(directory === undefined ? {} : { directory }),
  }
  using open = openSinks(sinks, options)
  const rewriter = new Rewriter(previous, open, options)
  for (const change of changes) {
    rewriter.write(change)
    if (!rewriter.isPossible) break
  }
  return rewriter.finish()
}

class Rewriter {
  readonly #previous: PreviousLayer
  readonly #sinks: OpenSinks
  readonly #onFile: WriteOptions['onFile']
  readonly #isLeft: RewriteOptions['isLeft']
  readonly #onDifference: RewriteOptions['onDifference']
  readonly #differences: Differences | undefined
  readonly #writer: LayerWriter
  readonly #parts = new TarParts()

  constructor(previous: PreviousLayer, sinks: OpenSinks, options: RewriteOptions) {
    const { onFile, isBelow, isLeft, onDifference } = options
    const { tar, directory } = sinks
    this.#previous = previous
    this.#sinks = sinks
    this.#onFile = onFile
    this.#isLeft = isLeft
    this.#onDifference = onDifference
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
    const earlier = this.#previous.find(change.path, (entry) => this.#passOver(entry))
    if (earlier !== undefined && change.kind === 'entry' && isSame(change, earlier)) {
      this.#takeOver(change, earlier)
      return
    }
    this.#onDifference?.(change.path)
    this.#differences?.other(change, earlier)
    if (this.isPossible) this.#writeNew(change)
  }

  finish(): RewrittenLayer | undefined {
    const { tar, directory, contents } = this.#sinks
    this.#previous.finish((entry) => this.#passOver(entry))
    this.#differences?.finish()
    directory?.finish()
    if (!this.isPossible) return undefined
    if (tar === undefined) return {}
    tar.finish()
    return { recipe: { parts: this.#parts.toArray(), entries: contents?.finishEntries() } }
  }

  #passOver(entry: ContentsEntry): void {
    if (this.#isLeft?.(entry.path) === true) {
      this.#keep(entry)
      this.#differences?.left()
      return
    }
    this.#onDifference?.(parentOf(entry.path))
    this.#differences?.gone(entry)
  }

  #writeNew(change: Change): void {
    const { tar } = this.#sinks
    const position = tar?.position ?? 0
    this.#writer.write(change)
    if (tar !== undefined) {
      this.#parts.add({ from: 'pieces', position, size: tar.position - position })
    }
  }

  #takeOver(change: EntryChange, earlier: ContentsEntry): void {
    this.#keep(earlier)
    this.#differences?.same(change)
    if (earlier.digest !== undefined) this.#onFile?.(change.path, earlier.digest)
  }

  #keep(entry: ContentsEntry): void {
    const { contents } = this.#sinks
    const { start, position, digest } = entry
    this.#parts.add({ from: 'earlier', position: start, size: endOf(entry) - start })
    contents?.begin({ ...entry, headerBytes: position - start })
    if (digest !== undefined) contents?.setDigest(digest)
  }
}

/** Whether the earlier layer has an entry as it is; to be known without reading a file. */
function isSame(change: EntryChange, earlier: ContentsEntry): boolean {
  const { stat, hardlink, data, knownDigest } = change
  if (stat.type === 'socket' || headerKey(change) !== earlier.header) return false
  if (stat.type !== 'file' || hardlink !== undefined) return true
  return (data?.length ?? stat.size) === earlier.size && knownDigest?.() === earlier.digest
}
