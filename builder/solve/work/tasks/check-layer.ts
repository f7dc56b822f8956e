import { createReadStream } from 'node:fs'
import { decompress } from '#builder/layer'
import { readParts } from '#cache'
import {
  asDiffId,
  type Bytes,
  type Compression,
  checkpoint,
  type DiffId,
  type Digest,
  Digester,
  TsbuildError,
} from '#core'
import { type BlobTask, checkDiffId, tarOf } from './blob.ts'

/** Checks that a blob is the layer it claims to be, without making anything of it. @returns bytes of the tar */
export async function checkLayer(task: BlobTask): Promise<number> {
  const digester = new Digester()
  for await (const chunk of tarOf(task)) digester.update(chunk)
  checkDiffId(task.diffId, asDiffId(digester.digest()))
  return digester.size
}

/** A file that claims to be a blob. */
export interface DigestBlobTask {
  readonly path: string
  /** It has the parts of a blob, of which others are in this file. */
  readonly earlier?: string | undefined
  /** It is a layer, packed so. Absent: what it holds does not matter. */
  readonly compression?: Compression | undefined
}

/** What a file is. */
export interface DigestedBlob {
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  /** Of a layer; `undefined` also for what cannot be unpacked. */
  readonly diffId: DiffId | undefined
}

/** Digests a blob as it is, and the layer in it in the same pass. */
export async function digestBlob(task: DigestBlobTask): Promise<DigestedBlob> {
  const { compression } = task
  const packed = new Digester()
  if (compression === undefined || compression === 'none') {
    for await (const _ of digested(task, packed)) checkpoint()
    const digest = packed.digest()
    return { digest, size: packed.size, diffId: compression && asDiffId(digest) }
  }
  const tar = new Digester()
  try {
    for await (const chunk of decompress(digested(task, packed), compression)) {
      checkpoint()
      tar.update(chunk)
    }
  } catch (cause) {
    if (!(cause instanceof TsbuildError) || cause.code !== 'LAYER_INVALID') throw cause
    // The rest was not read.
    return await digestBlob({ ...task, compression: undefined })
  }
  return { digest: packed.digest(), size: packed.size, diffId: asDiffId(tar.digest()) }
}

async function* digested({ path, earlier }: DigestBlobTask, digester: Digester): Bytes {
  const bytes: Bytes =
    earlier === undefined
      ? createReadStream(path, { highWaterMark: 1 << 20 })
      : readParts({ parts: path, earlier })
  for await (const chunk of bytes) {
    digester.update(chunk)
    yield chunk
  }
}
