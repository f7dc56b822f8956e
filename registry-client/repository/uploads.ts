import { type Bytes, type Descriptor, Digester, type TransferOptions, verified } from '#core'
import { backoff, MAX_ATTEMPTS, type OpenBytes } from '#http'
import type { BegunUpload } from '../endpoint/begun-upload.ts'
import type { UploadLimits } from '../endpoint/upload-limits.ts'
import { RegistryError } from '../errors.ts'
import { BrokenUploadError } from './broken-upload.ts'
import { Parts, skipping, withholdingLast } from './bytes.ts'
import { Failures } from './failures.ts'
import type { RepositoryRef } from './repository-ref.ts'
import { type BlobName, UploadSession } from './upload-session.ts'
import type { UploadTask } from './upload-task.ts'

const MIB = 1024 * 1024
/** Bytes of a part, from what proxies of clouds allow down to less than nginx does by itself. */
const PART_SIZES = [64 * MIB, 16 * MIB, 4 * MIB, MIB, MIB / 4]
/** A registry, or a proxy before it, that takes no PATCH. */
const PATCH_REFUSED = new Set([405, 501])

/** How the bytes of an upload are had. */
interface UploadOptions extends TransferOptions, Pick<UploadTask, 'begun'> {
  readonly open: OpenBytes
}

/** Cancels an upload that was begun and not gone on with. */
export async function cancelUpload(ref: RepositoryRef, begun: BegunUpload): Promise<void> {
  const answer = begun.leave()
  if (answer === undefined) return
  const task = { ref, doing: `cancel an upload to ${ref.name}`, isRepeatable: false }
  await (await UploadSession.of(task, answer)).cancel()
}

/**
 * Sends a blob whose digest is known: one POST, one PUT; in parts where that is too large for what is
 * in between. Spec: distribution-spec v1.1 #post-then-put, #pushing-a-blob-in-chunks
 */
export async function putBlob(
  ref: RepositoryRef,
  descriptor: Descriptor,
  { open, isRepeatable, begun, signal }: UploadOptions & Pick<UploadTask, 'isRepeatable'>,
): Promise<void> {
  const doing = `push blob ${descriptor.digest} to ${ref.endpoint.registry}/${ref.name}`
  const task = { ref, doing, isRepeatable, begun, signal }
  const checked = async function* (): Bytes {
    yield* withholdingLast(verified(await open(), descriptor))
  }
  let refusal: unknown
  for (const part of partSizes(descriptor.size, ref.endpoint.limits)) {
    try {
      await send(task, (session) =>
        part === descriptor.size
          ? sendWhole(session, descriptor, checked)
          : sendInParts(session, { blob: descriptor, open: checked, part }),
      )
      return
    } catch (error) {
      // It is too large at once, and cannot be sent in parts.
      if (refusal !== undefined && isPatchRefused(error)) throw refusal
      if (!isRepeatable || !isTooLarge(error)) throw error
      ref.endpoint.limits.refusedBody = part
      refusal = error
    }
  }
  throw refusal
}

/**
 * Sends bytes whose digest comes out at their end: POST, one endless PATCH, PUT. No Content-Range
 * is sent, since the end of the range is unknown; docker pushes in the same way, so all registries
 * take it. Where it is refused, the bytes are digested first and sent as a blob that is known.
 */
export async function streamBlob(
  ref: RepositoryRef,
  mediaType: string,
  { open, begun, signal }: UploadOptions,
): Promise<Descriptor> {
  const { limits, registry } = ref.endpoint
  const doing = `push a layer to ${registry}/${ref.name}`
  const task = { ref, doing, isRepeatable: true, begun, signal }
  if (limits.takesStreams) {
    try {
      return { mediaType, ...(await send(task, (session) => sendStream(session, open))) }
    } catch (error) {
      if (!isTooLarge(error) && !isPatchRefused(error)) throw error
      limits.takesStreams = false
    }
  }
  const blob = await digestAll(open)
  await putBlob(ref, { mediaType, ...blob }, { open, isRepeatable: true, begun, signal })
  return { mediaType, ...blob }
}

/** Opens a session for `attempt`; when it breaks, that goes on where it was, or starts anew. */
async function send(
  task: UploadTask,
  attempt: (session: UploadSession) => Promise<BlobName>,
): Promise<BlobName> {
  const { ref, doing, signal } = task
  const failures = new Failures(task.isRepeatable ? MAX_ATTEMPTS : 1)
  let session: UploadSession | undefined
  try {
    for (;;) {
      const current: UploadSession = session ?? (await UploadSession.open(task))
      session = current
      try {
        const blob = await attempt(current)
        session = undefined
        return blob
      } catch (error) {
        if (!(error instanceof BrokenUploadError)) throw error
        const { attempts, mayGoOn, retryAfter } = error.remedy
        if (!failures.add(error.kind, attempts, current.offset)) throw error.cause
        const pause = backoff(failures.count, retryAfter, ref.endpoint.timing)
        await ref.endpoint.pause(pause, { doing, signal })
        if (mayGoOn && (await current.catchUp())) continue
      }
      const stored = await current.findStored()
      await current.cancel()
      session = undefined
      if (stored !== undefined) return stored
    }
  } finally {
    await session?.cancel()
  }
}

/** What is left of a blob, with its digest. */
async function sendWhole(
  session: UploadSession,
  { digest, size }: BlobName,
  open: () => Bytes,
): Promise<BlobName> {
  const { offset } = session
  const rest = { open: () => skipping(open(), offset), size: size - offset }
  await session.commit({ digest, size }, offset === size && size > 0 ? undefined : rest)
  return { digest, size }
}

async function sendInParts(
  session: UploadSession,
  { blob, open, part }: { blob: BlobName; open: () => Bytes; part: number },
): Promise<BlobName> {
  const size = Math.max(part, session.smallestPart)
  await using parts = new Parts(skipping(open(), session.offset))
  while (session.offset < blob.size) {
    const length = Math.min(size, blob.size - session.offset)
    await session.append({ open: () => parts.next(length), size: length })
  }
  await session.commit(blob)
  return blob
}

async function sendStream(session: UploadSession, open: OpenBytes): Promise<BlobName> {
  const { offset } = session
  let seen = new Digester()
  const digested = async function* (): Bytes {
    seen = new Digester()
    for await (const chunk of await open()) {
      seen.update(chunk)
      yield chunk
    }
  }
  await session.append({ open: () => skipping(digested(), offset) })
  const blob = { digest: seen.digest(), size: seen.size }
  await session.commit(blob)
  return blob
}

async function digestAll(open: OpenBytes): Promise<BlobName> {
  const seen = new Digester()
  for await (const chunk of await open()) seen.update(chunk)
  return { digest: seen.digest(), size: seen.size }
}

/** Of the largest body that is sent: all of the blob, or less where so much was refused before. */
function partSizes(size: number, { refusedBody }: UploadLimits): readonly number[] {
  const sizes = [size, ...PART_SIZES.filter((part) => part < size)]
  const promising = sizes.filter((part) => part < refusedBody)
  return promising.length > 0 ? promising : sizes.slice(-1)
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RegistryError && error.status === 413
}

function isPatchRefused(error: unknown): boolean {
  return error instanceof RegistryError && PATCH_REFUSED.has(error.status ?? 0)
}
