import {
  type Descriptor,
  type Digest,
  describeDocument,
  EMPTY_DOCUMENT,
  type EncodedDocument,
  isIndexType,
  isManifestType,
  type Manifest,
  MEDIA_TYPES,
  parseManifestOrIndex,
  serializeManifest,
  type TransferOptions,
  together,
} from '#core'
import { changeTag, type FetchedManifest, type Repository, repositorySink } from '#registry-client'
import { BUNDLE_TYPE, bundleOf } from '../documents/bundle.ts'
import {
  SIGNATURE_ANNOTATION,
  SIMPLE_SIGNING_TYPE,
  type SignedClaim,
  simplePayload,
} from '../documents/simple-signing.ts'
import { SIGN_PREDICATE, signStatement } from '../documents/statement.ts'
import type { ImageSigner } from '../keys/image-key.ts'
import { KEY_ANNOTATION, SIGNATURE_ARTIFACT, signatureTag, signedName } from './signature-form.ts'
import { findSignatures, type StoredSignature } from './stored-signature.ts'

/** How an image is signed. */
export interface SignOptions extends TransferOptions {
  readonly signer: ImageSigner
  /** More that is signed. */
  readonly annotations: Readonly<Record<string, string>>
}

const AT_ONCE = 4

/**
 * Signs a manifest, or an index and all that it lists: who pulls for one platform checks that platform's manifest. Each
 * gets both forms of cosign's signatures, unless it has them of this key.
 * @returns what has been signed, now or before, the root last
 */
export async function signImage(
  repository: Repository,
  root: Pick<FetchedManifest, 'descriptor' | 'bytes'>,
  options: SignOptions,
): Promise<readonly Digest[]> {
  const subjects = [...listedIn(root), root.descriptor]
  const unique = [...new Map(subjects.map((one) => [one.digest, one])).values()]
  const tasks = unique.map(
    (subject) => (signal: AbortSignal) => signManifest(repository, subject, { ...options, signal }),
  )
  await together(tasks, options.signal, { atOnce: AT_ONCE })
  return unique.map(({ digest }) => digest)
}

function listedIn({ descriptor, bytes }: Pick<FetchedManifest, 'descriptor' | 'bytes'>) {
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
  if (parsed.kind === 'manifest') return []
  return parsed.index.manifests.filter(
    ({ mediaType }) => isManifestType(mediaType) || isIndexType(mediaType),
  )
}

async function signManifest(
  repository: Repository,
  subject: Descriptor,
  { signer, annotations, signal }: SignOptions,
): Promise<void> {
  const claim = { digest: subject.digest, repository: signedName(repository), annotations }
  const known = await findSignatures(repository, subject.digest, { signal })
  const isThere = (form: StoredSignature['form']): boolean =>
    known.some((one) => one.form === form && says(one, claim) && one.isBy(signer))
  const signing = { repository, subject: plainSubject(subject), claim, signer, signal }
  if (!isThere('bundle')) await putBundle(signing)
  if (!isThere('simple')) await putSimple(signing)
}

/** A referrer has no more of its subject. */
function plainSubject({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size }
}

function says({ digests, repository, annotations }: StoredSignature, claim: SignedClaim): boolean {
  if (!digests.includes(claim.digest) || (repository ?? claim.repository) !== claim.repository) {
    return false
  }
  const [stored, wanted] = [Object.entries(annotations), Object.entries(claim.annotations)]
  return (
    stored.length === wanted.length && wanted.every(([key, value]) => annotations[key] === value)
  )
}

interface Signing extends TransferOptions {
  readonly repository: Repository
  readonly subject: Descriptor
  readonly claim: SignedClaim
  readonly signer: ImageSigner
}

/** As cosign of today writes and reads it. */
async function putBundle({ repository, subject, claim, signer, signal }: Signing): Promise<void> {
  const put = putterOf(repository, signal)
  const layer = await put({
    mediaType: BUNDLE_TYPE,
    bytes: bundleOf(signStatement(claim), signer),
  })
  const annotations = {
    'dev.sigstore.bundle.content': 'dsse-envelope',
    'dev.sigstore.bundle.predicateType': SIGN_PREDICATE,
  }
  const manifest = { artifactType: BUNDLE_TYPE, layers: [layer], subject, annotations }
  const document = encoded({ ...manifest, config: await put(EMPTY_DOCUMENT) })
  await repository.putManifest(describeDocument(document).digest, document, { signal })
}

/**
 * As cosign has read it since its first version, and containers' tools do: under a tag, with the signatures of others.
 * It refers to its image, too.
 */
async function putSimple({ repository, subject, claim, signer, signal }: Signing): Promise<void> {
  const put = putterOf(repository, signal)
  const payload = simplePayload(claim)
  const layer = {
    ...(await put({ mediaType: SIMPLE_SIGNING_TYPE, bytes: payload })),
    annotations: {
      [SIGNATURE_ANNOTATION]: signer.sign(payload).toString('base64'),
      [KEY_ANNOTATION]: signer.hint,
    },
  }
  let replaced: Digest | undefined
  const add = async (current: FetchedManifest | undefined) => {
    const others = current === undefined ? [] : layersOf(current)
    if (others.some((one) => isSame(one, layer))) return undefined
    replaced = current?.descriptor.digest
    const layers = [...others, layer]
    const config = await put(configOf(layers))
    return encoded({ artifactType: SIGNATURE_ARTIFACT, config, layers, subject })
  }
  await changeTag(repository, signatureTag(subject.digest), add, { signal })
  if (replaced !== undefined) await repository.unlistReferrer(subject.digest, replaced, { signal })
}

function isSame(one: Descriptor, other: Descriptor): boolean {
  const [a, b] = [one, other].map(({ annotations }) => annotations?.[SIGNATURE_ANNOTATION])
  return one.digest === other.digest && a === b
}

function layersOf({ descriptor, bytes }: FetchedManifest): readonly Descriptor[] {
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType)
  return parsed.kind === 'manifest' ? parsed.manifest.layers : []
}

/** Programs that know images only read it as one. */
function configOf(layers: readonly Descriptor[]): EncodedDocument {
  const document = {
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
  }
  return { mediaType: MEDIA_TYPES.ociConfig, bytes: Buffer.from(JSON.stringify(document)) }
}

function encoded(manifest: Omit<Manifest, 'mediaType'>): EncodedDocument {
  const mediaType = MEDIA_TYPES.ociManifest
  return { mediaType, bytes: serializeManifest({ mediaType, ...manifest }) }
}

/** Sends small blobs that the repository lacks. */
function putterOf(
  repository: Repository,
  signal: AbortSignal | undefined,
): (document: EncodedDocument) => Promise<Descriptor> {
  const sink = repositorySink(repository, { tags: [] })
  return (document) => sink.putConfig(document, { signal })
}
