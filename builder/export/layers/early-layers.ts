/**
 * Packing is the largest part of a push, and while steps run, processors are often idle. So layers of the
 * image are packed while later steps run, one at a time, where a processor is left. An output finds
 * the blob in the store, or reads it while it grows; what was not begun it packs itself. See ADR 43.
 */
import type { Store } from '#cache'
import { type Bytes, type Compression, type DiffId, type Spans, uncompressedDigest } from '#core'
import { GrowingBlob } from './growing-blob.ts'
import { LAYER_TYPES } from './image-layer.ts'
import { hasRoom, packedBlobs, packTar, rememberPacked } from './packing.ts'

/** Bytes of a tar that is packed in less time than it is worth to write down and sync: some 50 ms. */
const SMALL_BYTES = 4 * 1024 * 1024

/** A layer that was made here. */
interface MadeLayer {
  readonly diffId: DiffId
  /** Bytes of its tar, which is in the store. */
  readonly size: number
}

/** A processor that steps leave to other work. */
interface SpareProcessor {
  /** Resolves when there is one. */
  found(): Promise<void>
  /** What the next piece of work has to wait for; `undefined`: nothing. */
  wait(): Promise<void> | undefined
}

/** What layers are packed with. */
export interface EarlyLayersDeps {
  readonly store: Store
  readonly spare: SpareProcessor
  readonly spans: Spans
  /** Gets each layer that was packed, now or before. */
  readonly onPacked?: (layer: MadeLayer, compression: Compression) => void
}

/** The layers of one build that are packed before its images are complete. */
export class EarlyLayers implements AsyncDisposable {
  readonly #deps: EarlyLayersDeps
  readonly #waiting: (readonly [MadeLayer, Compression])[] = []
  readonly #blobs = new Map<string, GrowingBlob>()
  readonly #stop = new AbortController()
  readonly #stepsEnded = Promise.withResolvers<void>()
  #areStepsEnded = false
  #working: Promise<void> = Promise.resolve()

  constructor(deps: EarlyLayersDeps) {
    this.#deps = deps
  }

  /** Takes a layer that outputs will need in these compressions. */
  add(layer: MadeLayer, compressions: Iterable<Compression>): void {
    if (layer.size < SMALL_BYTES) return
    for (const compression of compressions) this.#waiting.push([layer, compression])
    this.#working = this.#working.then(() => this.#work())
  }

  /**
   * The blob of a layer while it grows. Also when that has failed and the tar is not in the store any more:
   * its readers get the reason.
   */
  find(diffId: DiffId, compression: Compression): GrowingBlob | undefined {
    const blob = this.#blobs.get(keyOf(diffId, compression))
    if (blob?.state === 'growing') return blob
    const isLost = blob?.state === 'failed' && !this.#hasTar(diffId)
    return isLost ? blob : undefined
  }

  /** To be called when all steps have ended: no more is begun, and what was begun waits for nothing. */
  endSteps(): void {
    this.#areStepsEnded = true
    this.#stepsEnded.resolve()
  }

  /** Stops the work, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.endSteps()
    await this.#working
  }

  /** One layer at a time, which takes one processor. */
  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await Promise.race([this.#deps.spare.found(), this.#stepsEnded.promise])
      if (this.#areStepsEnded) return
      // An output packs the layer itself, or finds the reason.
      await this.#pack(...next).catch(() => undefined)
    }
  }

  async #pack(layer: MadeLayer, compression: Compression): Promise<void> {
    const { diffId, size } = layer
    const { store, spans, onPacked } = this.#deps
    const key = keyOf(diffId, compression)
    const mediaType = LAYER_TYPES[compression]
    // A registry is likely to have what was packed before.
    const isPacked = packedBlobs(store, diffId, compression).length > 0
    if (isPacked) onPacked?.(layer, compression)
    if (isPacked || this.#blobs.has(key) || !hasRoom(store, size)) return
    const tar = { mediaType: LAYER_TYPES.none, digest: uncompressedDigest(diffId), size }
    const bytes = await store.blobs.open(tar, { signal: this.#stop.signal })
    const atOnce = (): number => (this.#areStepsEnded ? Number.POSITIVE_INFINITY : 1)
    const packed = packTar(this.#paced(bytes), { compression, atOnce })
    const blob = new GrowingBlob({
      store,
      mediaType,
      ...packed,
      onWhole: (blob) => rememberPacked(store, diffId, { ...blob, packing: { compression } }),
    })
    this.#blobs.set(key, blob)
    await spans.measure('packing', () => blob.made)
    onPacked?.(layer, compression)
  }

  async *#paced(bytes: Bytes): Bytes {
    const { spare, spans } = this.#deps
    for await (const chunk of bytes) {
      const wait = this.#areStepsEnded ? undefined : spare.wait()
      if (wait !== undefined) {
        await spans.except('packing', () => Promise.race([wait, this.#stepsEnded.promise]))
      }
      yield chunk
    }
  }

  #hasTar(diffId: DiffId): boolean {
    return this.#deps.store.blobs.stat(uncompressedDigest(diffId)) !== undefined
  }
}

function keyOf(diffId: DiffId, compression: Compression): string {
  return `${compression} ${diffId}`
}
