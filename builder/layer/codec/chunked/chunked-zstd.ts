/**
 * zstd:chunked: every file of a layer is zstd frames of its own, and a table at the end says where they are, so that
 * a reader fetches only the files that it has not. For all others it is zstd. See ADR 65.
 */
import { Buffer } from 'node:buffer'
import type { Bytes } from '#core'
import { packFrame } from '../zstd/frame.ts'
import { LayerIndex } from './layer-index.ts'
import type { Chunk } from './table-of-contents.ts'
import { type TarFrame, TarFrames } from './tar-frames.ts'
import type { Trailer } from './trailer.ts'

/** What is written at a time: frames of small files are small. */
const OUTPUT_SIZE = 256 * 1024

/** How a tar is packed. */
export interface ChunkedOptions {
  /** 1 to 22. */
  readonly level: number
  /** How many frames are packed at a time; asked after each frame. */
  readonly atOnce: () => number
  /** Gets the annotations of the blob with its end; not called for a tar that no table can describe. */
  readonly onAnnotations: (annotations: Trailer['annotations']) => void
}

/** Packs while reading; equal bytes give equal bytes, however they arrive. */
export async function* chunkedZstd(
  tar: Bytes,
  { level, atOnce, onAnnotations }: ChunkedOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const index = new LayerIndex(level)
  const blob = new FrameQueue(index, level)
  const frames = new TarFrames(index)
  for await (const chunk of tar) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    for await (const frame of frames.cut(bytes)) {
      blob.add(frame)
      while (blob.length >= atOnce()) yield* blob.next()
    }
  }
  const end = frames.end()
  let next = end.next()
  for (; next.done !== true; next = end.next()) blob.add(next.value)
  while (blob.length > 0) yield* blob.next()
  const trailer = await index.end(next.value, blob.size)
  yield* blob.rest()
  if (trailer === undefined) return
  yield* trailer.pieces
  onAnnotations(trailer.annotations)
}

/** Frames in their order, on their way into the blob. */
class FrameQueue {
  /** Bytes of the blob so far. */
  size = 0
  readonly #index: LayerIndex
  readonly #level: number
  readonly #packing: (readonly [TarFrame, Buffer | Promise<Buffer>])[] = []
  /** Of the content whose frames are being placed. */
  #chunks: Chunk[] = []
  #output: Buffer[] = []
  #outputSize = 0

  constructor(index: LayerIndex, level: number) {
    this.#index = index
    this.#level = level
  }

  get length(): number {
    return this.#packing.length
  }

  add(frame: TarFrame): void {
    const packed = packFrame(frame.bytes, { level: this.#level })
    // The rejection reaches the consumer that awaits this frame, if it gets that far.
    if (packed instanceof Promise) packed.catch(() => {})
    this.#packing.push([frame, packed])
  }

  /** Takes the oldest frame; yields what is worth writing. */
  async *next(): AsyncGenerator<Uint8Array, void, undefined> {
    const [frame, packing] = this.#packing.shift() ?? []
    if (frame === undefined || packing === undefined) return
    const packed = await packing
    const offset = this.size
    this.size += packed.length
    await this.#place(frame, offset)
    this.#output.push(packed)
    this.#outputSize += packed.length
    if (this.#outputSize >= OUTPUT_SIZE) yield* this.rest()
  }

  /** What was not yielded yet. */
  *rest(): Generator<Uint8Array, void, undefined> {
    if (this.#outputSize > 0) yield Buffer.concat(this.#output, this.#outputSize)
    this.#output = []
    this.#outputSize = 0
  }

  async #place({ bytes, entries, part }: TarFrame, offset: number): Promise<void> {
    for (const entry of entries) await this.#index.place(entry)
    if (part === undefined) return
    this.#chunks.push({ size: bytes.length, digest: part.digest, offset })
    if (part.whole === undefined) return
    const chunks = this.#chunks
    this.#chunks = []
    await this.#index.place(part.entry, { chunks, digest: part.whole, endOffset: this.size })
  }
}
