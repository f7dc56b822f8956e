import { createReadStream } from 'node:fs'
import { decompress } from '#builder/layer'
import { type Ring, streamRing } from '#builder/threads'
import { type Bytes, type Compression, type DiffId, TsbuildError } from '#core'

/** What holds a layer, or claims to. */
export interface BlobTask {
  /** The path of a file, or a ring through which its bytes come. */
  readonly blob: string | Ring
  readonly compression: Compression
  readonly diffId: DiffId
}

/** The layer's tar. */
export function tarOf({ blob, compression }: BlobTask): Bytes {
  const bytes =
    typeof blob === 'string' ? createReadStream(blob, { highWaterMark: 1 << 20 }) : streamRing(blob)
  return decompress(bytes, compression)
}

/** @throws {TsbuildError} DIGEST_MISMATCH unless the layer is what the image config says */
export function checkDiffId(claimed: DiffId, found: DiffId): void {
  if (found === claimed) return
  throw new TsbuildError(`layer ${claimed} unpacks to ${found}`, {
    code: 'DIGEST_MISMATCH',
    hint: 'the image config and the layer do not belong together; the image is damaged',
  })
}
