import type { Digest, TransferOptions } from '#core'
import type { HttpResponse } from '#http'
import { pushScope } from '../auth/scope.ts'
import type { BegunUpload } from '../endpoint/begun-upload.ts'
import type { Call } from '../endpoint/endpoint.ts'
import { resolveLocation } from '../endpoint/location.ts'
import { plainText, RegistryError } from '../errors.ts'
import type { RepositoryRef } from './repository-ref.ts'

/** What is uploaded to where, and until when. */
export interface UploadTask extends TransferOptions {
  readonly ref: RepositoryRef
  /** Verb first, with the repository. */
  readonly doing: string
  /** Whether the bytes can be had again. */
  readonly isRepeatable: boolean
  /** Its first attempt goes on with this one, if it was begun. */
  readonly begun?: BegunUpload | undefined
}

/** Statuses that say no, whoever asks again. */
const REFUSALS = new Set<unknown>([401, 403, 404, 405])

/**
 * Begins an upload, to find out whether this user may push.
 * @throws {RegistryError} when that is refused; other failures may be gone when there is something to push
 */
export async function beginUpload(
  ref: RepositoryRef,
  begun: BegunUpload,
  { signal }: TransferOptions,
): Promise<void> {
  const doing = `check the right to push to ${ref.endpoint.registry}/${ref.name}`
  const task = { ref, doing, isRepeatable: false, signal }
  try {
    begun.keep(await postUpload(task, { expect: [202], attempts: 1 }))
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    if (error.code === 'REGISTRY_DENIED' || REFUSALS.has(error.status)) throw error
  }
}

/** Asks for an upload, or for a mount in its place. Spec: distribution-spec v1.1, end-4a and end-11 */
export function postUpload(
  { ref, doing, signal }: UploadTask,
  {
    query = '',
    expect,
    scopes = [],
    attempts,
  }: Pick<Call, 'expect' | 'attempts' | 'scopes'> & {
    readonly query?: string
  },
): Promise<HttpResponse> {
  return ref.endpoint.call({
    doing,
    method: 'POST',
    to: `${ref.name}/blobs/uploads/${query}`,
    expect,
    scopes: [pushScope(ref.name), ...scopes],
    attempts,
    signal,
  })
}

/** Where the answer to a request of an upload leads; `undefined` when it does not say. */
export async function locationOf(
  { ref }: UploadTask,
  response: HttpResponse,
): Promise<URL | undefined> {
  const { location } = response.headers
  if (location === undefined) return undefined
  const { origin } = await ref.endpoint.channel()
  return resolveLocation(location, response.url, origin)
}

/** @throws {RegistryError} DIGEST_MISMATCH when the registry says that it has stored something else */
export function checkStored(task: UploadTask, response: HttpResponse, digest: Digest): void {
  const stored = response.headers['docker-content-digest'] ?? digest
  if (stored === digest) return
  throw uploadError(task, `the registry stored it as ${plainText(stored)}`, 'DIGEST_MISMATCH')
}

/** The error for an answer that an upload cannot use. */
export function uploadError(
  { doing }: UploadTask,
  what: string,
  code: 'DIGEST_MISMATCH' | 'REGISTRY_FAILED' = 'REGISTRY_FAILED',
): RegistryError {
  const hint = 'try again; if it stays so, ask those who run the registry'
  return new RegistryError(`${doing}: ${what}`, { code, hint })
}
