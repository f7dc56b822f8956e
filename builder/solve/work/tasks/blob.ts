import { createReadStream } from 'node:fs'
import { decompress } from '#builder/layer'
import { type Ring, readRing } from '#builder/threads'
import { type Bytes, type Compression, type DiffId, TsbuildError, unreachable } from '#core'

/**
 * Where the bytes of a layer are: in a file, in memory where they are few, or unpacked already on their way
 * through a ring.
 */
export type LayerSource =
  | { readonly kind: 'file'; readonly path: string; readonly compression: Compression }
  | {
      readonly kind: 'memory'
      readonly chunks: readonly Uint8Array[]
      readonly compression: Compression
    }
  | { readonly kind: 'ring'; readonly ring: Ring }

/** What holds a layer, or claims to. */
export interface BlobTask {
  readonly source: LayerSource
  readonly diffId: DiffId
}

/** The layer's tar. */
export function tarOf({ source }: Pick<BlobTask, 'source'>): Bytes {
  switch (source.kind) {
    case 'file': {
      const bytes = createReadStream(source.path, { highWaterMark: 1 << 20 })
      return decompress(bytes, source.compression)
    }
    case 'memory':
      return decompress(inOrder(source.chunks), source.compression)
    case 'ring':
      return blockingly(source.ring)
    default:
      return unreachable(source)
  }
}

async function* inOrder(chunks: readonly Uint8Array[]): Bytes {
  yield* chunks
}

/** Blocks the thread while it waits: there is nothing else for it to do. */
export async function* blockingly(ring: Ring): AsyncGenerator<Uint8Array, void, undefined> {
  yield* readRing(ring)
}

/** @throws {TsbuildError} DIGEST_MISMATCH unless the layer is what the image config says */
export function checkDiffId(claimed: DiffId, found: DiffId): void {
  if (found === claimed) return
  throw new TsbuildError(`layer ${claimed} unpacks to ${found}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the image config and the layer do not belong together; the image is damaged',
  })
}
