import {
  collect,
  type Descriptor,
  type Digest,
  MAX_DOCUMENT_BYTES,
  type Manifest,
  parseManifestOrIndex,
  type TransferOptions,
  TsbuildError,
} from '#core'
import { findTagged, type Repository } from '#registry-client'
import { decode, isBundleType, readBundle } from '../documents/bundle.ts'
import {
  readSimplePayload,
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING_TYPE,
} from '../documents/simple-signing.ts'
import { readStatement, SIGN_PREDICATE } from '../documents/statement.ts'
import type { ImageVerifier } from '../keys/image-key.ts'
import { KEY_ANNOTATION, SIGNATURE_ARTIFACT, signatureTag } from './signature-form.ts'

/** A signature that a registry has, in one of the two forms of cosign. */
export interface StoredSignature {
  /** `simple`: a payload beside its signature; `bundle`: a statement in sigstore's bundle. */
  readonly form: 'simple' | 'bundle'
  /** What it says is signed. */
  readonly digests: readonly Digest[]
  readonly annotations: Readonly<Record<string, string>>
  /** The repository that it was made for, where it says so. */
  readonly repository: string | undefined
  /** Names the key; absent: it does not say. */
  readonly hint: string | undefined
  isBy(verifier: ImageVerifier): boolean
}

/** Of one manifest. More are not the work of people. */
const MOST_SIGNATURES = 200

/**
 * All signatures of a manifest: those under cosign's tag, and those that refer to it.
 * @throws {TsbuildError} MANIFEST_INVALID, DIGEST_MISMATCH for what is damaged
 */
export async function findSignatures(
  repository: Repository,
  digest: Digest,
  options: TransferOptions = {},
): Promise<readonly StoredSignature[]> {
  const manifests = new Map<Digest, Manifest>()
  const tagged = await findTagged(repository, signatureTag(digest), options)
  if (tagged !== undefined) manifests.set(tagged.descriptor.digest, manifestOf(tagged))
  const { descriptors } = await repository.referrers(digest, options)
  const listed = descriptors.filter(
    ({ artifactType: type }) => type === SIGNATURE_ARTIFACT || isBundleType(type),
  )
  if (listed.length > MOST_SIGNATURES) throw tooManyError(digest)
  for (const { digest: referrer } of listed) {
    if (manifests.has(referrer)) continue
    manifests.set(referrer, manifestOf(await repository.fetchManifest(referrer, options)))
  }
  const layers = new Map<string, Descriptor>()
  for (const layer of [...manifests.values()].flatMap((one) => one.layers)) {
    layers.set(`${layer.digest} ${layer.annotations?.[SIGNATURE_ANNOTATION]}`, layer)
  }
  if (layers.size > MOST_SIGNATURES) throw tooManyError(digest)
  const found: StoredSignature[] = []
  for (const layer of layers.values()) {
    const signature = await readSignature(repository, layer, options)
    if (signature !== undefined) found.push(signature)
  }
  return found
}

type Document = Parameters<typeof parseManifestOrIndex>[0]

function manifestOf({ descriptor, bytes }: { descriptor: Descriptor; bytes: Document }): Manifest {
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
  if (parsed.kind === 'manifest') return parsed.manifest
  throw new TsbuildError(`${descriptor.digest} is to hold signatures, and is an index`, {
    code: 'MANIFEST_INVALID',
  })
}

async function readSignature(
  repository: Repository,
  layer: Descriptor,
  options: TransferOptions,
): Promise<StoredSignature | undefined> {
  const read = async (): Promise<Buffer> => {
    if (layer.size > MAX_DOCUMENT_BYTES) throw tooLargeError(layer)
    return await collect(await repository.open(layer, options), MAX_DOCUMENT_BYTES)
  }
  if (isBundleType(layer.mediaType)) return bundled(await read())
  if (layer.mediaType === SIMPLE_SIGNING_TYPE) return simple(await read(), layer)
  return undefined
}

function simple(payload: Buffer, { annotations = {} }: Descriptor): StoredSignature {
  const { digest, ...claim } = readSimplePayload(payload)
  const signature = decode(annotations[SIGNATURE_ANNOTATION] ?? '')
  return {
    ...claim,
    form: 'simple',
    digests: [digest],
    hint: annotations[KEY_ANNOTATION],
    isBy: (verifier) => verifier.isSigned(payload, signature),
  }
}

/** `undefined` for a statement of another kind, as SBOMs are. */
function bundled(bytes: Buffer): StoredSignature | undefined {
  const bundle = readBundle(bytes)
  if (bundle === undefined) return undefined
  const { predicateType, subjects } = readStatement(bundle.payload)
  if (predicateType !== SIGN_PREDICATE) return undefined
  const { signed, signatures, hint } = bundle
  return {
    form: 'bundle',
    digests: subjects.map(({ digest }) => digest),
    annotations: subjects[0]?.annotations ?? {},
    repository: undefined,
    hint,
    isBy: (verifier) => signatures.some((signature) => verifier.isSigned(signed, signature)),
  }
}

function tooManyError(digest: Digest): TsbuildError {
  return new TsbuildError(`${digest} has more than ${MOST_SIGNATURES} signatures`, {
    code: 'MANIFEST_INVALID',
    hint: 'somebody who may push has added them: remove what refers to the image',
  })
}

function tooLargeError({ digest, size }: Descriptor): TsbuildError {
  return new TsbuildError(`the signature ${digest} has ${size} bytes`, {
    code: 'MANIFEST_INVALID',
  })
}
