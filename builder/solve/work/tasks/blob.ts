import { createReadStream } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { decompress } from '#builder/layer'
import { type Ring, streamRing } from '#builder/threads'
import {
  type Bytes,
  type Compression,
  type DiffId,
  isStopSet,
  type StopFlag,
  TsbuildError,
  unreachable,
} from '#core'

/** Where the bytes of a layer's blob are: in a file, in memory where they are few, or on their way through a ring. */
export type LayerSource = { readonly compression: Compression } & (
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'memory'; readonly chunks: readonly Uint8Array[]; readonly stop: StopFlag }
  | { readonly kind: 'ring'; readonly ring: Ring }
)

/** What holds a layer, or claims to. */
export interface BlobTask {
  readonly source: LayerSource
  readonly diffId: DiffId
}

/** The layer's tar. */
export function tarOf({ source }: Pick<BlobTask, 'source'>): Bytes {
  const tar = decompress(bytesOf(source), source.compression)
  return source.kind === 'memory' ? inTurns(tar, source.stop) : tar
}

/** Bytes of a tar that may be a hundred files, which take some milliseconds. */
const TURN_BYTES = 64 << 10

/**
 * What is small is unpacked on the main thread, where signals and other steps must have their turn: a few bytes may hold
 * thousands of files.
 * @throws {TsbuildError} CANCELLED
 */
async function* inTurns(bytes: Bytes, stop: StopFlag): Bytes {
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length; start += TURN_BYTES) {
      await nextTurn()
      if (isStopSet(stop)) throw new TsbuildError('read a layer: cancelled', { code: 'CANCELLED' })
      yield chunk.subarray(start, start + TURN_BYTES)
    }
  }
}

function bytesOf(source: LayerSource): Bytes {
  switch (source.kind) {
    case 'file':
      return createReadStream(source.path, { highWaterMark: 1 << 20 })
    case 'memory':
      return inOrder(source.chunks)
    case 'ring':
      return streamRing(source.ring)
    default:
      return unreachable(source)
  }
}

async function* inOrder(chunks: readonly Uint8Array[]): Bytes {
  yield* chunks
}

/** @throws {TsbuildError} DIGEST_MISMATCH unless the layer is what the image config says */
export function checkDiffId(claimed: DiffId, found: DiffId): void {
  if (found === claimed) return
  throw new TsbuildError(`layer ${claimed} unpacks to ${found}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the image config and the layer do not belong together; the image is damaged',
  })
}
