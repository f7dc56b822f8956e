import { createReadStream } from 'node:fs'
import { decompress } from '#builder/layer'
import { type Bytes, type Compression, type DiffId, TsbuildError } from '#core'

/** A file that holds a layer, or claims to. */
export interface BlobTask {
  readonly blob: string
  readonly compression: Compression
  readonly diffId: DiffId
}

/** The layer's tar. */
export function tarOf({ blob, compression }: BlobTask): Bytes {
  return decompress(createReadStream(blob, { highWaterMark: 1 << 20 }), compression)
}

/** @throws {TsbuildError} DIGEST_MISMATCH unless the layer is what the image config says */
export function checkDiffId(claimed: DiffId, found: DiffId): void {
  if (found === claimed) return
  throw new TsbuildError(`layer ${claimed} unpacks to ${found}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the image config and the layer do not belong together; the image is damaged',
  })
}
