import {
  type Descriptor,
  type Digest,
  type EncodedDocument,
  hexOf,
  isIndexType,
  MAX_DOCUMENT_BYTES,
  MEDIA_TYPES,
  parseIndex,
  serializeIndex,
  type TransferOptions,
  TsbuildError,
} from '#core'
import type { HttpResponse } from '#http'
import { pullScope } from '../auth/scope.ts'
import { RegistryError } from '../errors.ts'
import { fetchManifest, putManifest } from './manifests.ts'
import { nextPage } from './pages.ts'
import { type RepositoryRef, taggedName } from './repository-ref.ts'

/** What refers to a manifest: signatures, attestations, and the like. */
export interface Referrers {
  readonly descriptors: readonly Descriptor[]
  /** The registry does not list them: clients keep the list under this tag. */
  readonly tag: string | undefined
}

/** Which referrers are listed. */
export interface ReferrerOptions extends TransferOptions {
  /** Of this type only; default: all. */
  readonly artifactType?: string | undefined
}

const MOST_PAGES = 20
/** How often a list is written before others that write it, too, are taken to be too many. */
const MOST_WRITES = 6
const PAUSE = 200
/** What registries say that have no such resource. */
const WITHOUT = [400, 404, 405, 406]

/**
 * The manifests whose subject is this one.
 * Spec: distribution-spec v1.1 #listing-referrers and its tag schema
 */
export async function listReferrers(
  ref: RepositoryRef,
  digest: Digest,
  { artifactType, signal }: ReferrerOptions,
): Promise<Referrers> {
  const { descriptors, tag } = await listAll(ref, digest, { artifactType, signal })
  // Filtering is up to a registry.
  const isWanted = (one: Descriptor): boolean =>
    artifactType === undefined || one.artifactType === artifactType
  return { descriptors: descriptors.filter(isWanted), tag }
}

/**
 * Puts a manifest on the list of what refers to its subject, where the registry does not keep that list. Others may
 * write it at the same time, and registries do not say so: it is read once more afterwards.
 * Spec: distribution-spec v1.1 #pushing-manifests-with-subject
 */
export async function addReferrer(
  ref: RepositoryRef,
  subject: Digest,
  { added, signal }: { readonly added: Descriptor } & TransferOptions,
): Promise<void> {
  await changeList(ref, subject, {
    isDone: (list) => list.some(({ digest }) => digest === added.digest),
    change: (list) => [...list, added],
    signal,
  })
}

/** Takes a manifest off such a list, before it is deleted. */
export async function removeReferrer(
  ref: RepositoryRef,
  subject: Digest,
  { removed, signal }: { readonly removed: Digest } & TransferOptions,
): Promise<void> {
  await changeList(ref, subject, {
    isDone: (list) => list.every(({ digest }) => digest !== removed),
    change: (list) => list.filter(({ digest }) => digest !== removed),
    signal,
  })
}

interface ListChange extends TransferOptions {
  readonly isDone: (list: readonly Descriptor[]) => boolean
  readonly change: (list: readonly Descriptor[]) => readonly Descriptor[]
}

async function changeList(
  ref: RepositoryRef,
  subject: Digest,
  { isDone, change, signal }: ListChange,
): Promise<void> {
  const doing = `list referrers of ${subject}`
  const { timing } = ref.endpoint
  for (let write = 0; ; write++) {
    const { descriptors, tag } = await listAll(ref, subject, { signal })
    if (tag === undefined || isDone(descriptors)) return
    if (write >= MOST_WRITES) throw listError(doing, `others change ${tag} all the time`)
    if (write > 0) await ref.endpoint.pause(PAUSE * write * timing.random(), { doing, signal })
    await putManifest(ref, tag, { ...indexOf(change(descriptors)), signal })
  }
}

async function listAll(
  ref: RepositoryRef,
  digest: Digest,
  { artifactType, signal }: ReferrerOptions,
): Promise<Referrers> {
  const { origin } = await ref.endpoint.channel()
  const descriptors: Descriptor[] = []
  const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType })}`
  let to: string | URL | undefined = `${ref.name}/referrers/${digest}${query}`
  for (let page = 0; page < MOST_PAGES && to !== undefined; page++) {
    const response: HttpResponse = await ref.endpoint.call({
      doing: `list referrers of ${digest}`,
      method: 'GET',
      to,
      expect: [200, ...WITHOUT],
      limit: MAX_DOCUMENT_BYTES,
      scopes: [pullScope(ref.name)],
      signal,
    })
    if (response.status !== 200) return await readTaggedList(ref, digest, { signal })
    descriptors.push(...parseIndex(response.body).manifests)
    to = nextPage(response, origin)
  }
  return { descriptors, tag: undefined }
}

async function readTaggedList(
  ref: RepositoryRef,
  digest: Digest,
  options: TransferOptions,
): Promise<Referrers> {
  const tag = `sha256-${hexOf(digest)}`
  try {
    const { descriptor, bytes } = await fetchManifest(ref, tag, options)
    if (isIndexType(descriptor.mediaType)) {
      return { descriptors: parseIndex(bytes, descriptor.mediaType).manifests, tag }
    }
    throw listError(`read ${taggedName(ref, tag)}`, 'it is no list of referrers')
  } catch (cause) {
    if (cause instanceof TsbuildError && cause.code === 'NOT_FOUND') return { descriptors: [], tag }
    throw cause
  }
}

function indexOf(manifests: readonly Descriptor[]): EncodedDocument {
  const mediaType = MEDIA_TYPES.ociIndex
  return { mediaType, bytes: serializeIndex({ mediaType, manifests }) }
}

function listError(doing: string, what: string): RegistryError {
  return new RegistryError(`${doing}: ${what}`, {
    code: 'REGISTRY_FAILED',
    hint: 'the registry does not list referrers itself: another tool uses the tag that lists them',
  })
}
