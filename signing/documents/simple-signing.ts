import { type Digest, isDigest, readDocument, shapes, TsbuildError } from '#core'

/** What a signature says: this digest is what is meant, in this repository, with these annotations. */
export interface SignedClaim {
  readonly digest: Digest
  /** The repository that it was made for. */
  readonly repository: string
  readonly annotations: Readonly<Record<string, string>>
}

/** Of the layer that holds a payload. */
export const SIMPLE_SIGNING_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json'
/** The annotation of that layer with the signature, in base64. */
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature'

const TYPE = 'cosign container image signature'

const { map, object, string } = shapes
const PAYLOAD = object({
  critical: object({
    identity: object({ 'docker-reference': string }),
    image: object({ 'docker-manifest-digest': string }),
    type: string,
  }),
  optional: map(shapes.any),
})

/** The bytes that are signed; equal for equal claims. Spec: containers/image, atomic container signatures */
export function simplePayload({ digest, repository, annotations }: SignedClaim): Buffer {
  const keys = Object.keys(annotations).sort()
  const optional = Object.fromEntries(keys.map((key) => [key, annotations[key]]))
  const document = {
    critical: {
      identity: { 'docker-reference': repository },
      image: { 'docker-manifest-digest': digest },
      type: TYPE,
    },
    optional: keys.length === 0 ? null : optional,
  }
  return Buffer.from(JSON.stringify(document))
}

/** @throws {TsbuildError} MANIFEST_INVALID for what is not such a payload */
export function readSimplePayload(bytes: Uint8Array): SignedClaim {
  const { critical = {}, optional = {} } = readDocument(bytes, PAYLOAD, READING)
  const digest = critical.image?.['docker-manifest-digest'] ?? ''
  if (critical.type !== TYPE || !isDigest(digest)) {
    const message = 'invalid payload of a signature: it is about no image'
    throw new TsbuildError(message, { code: 'MANIFEST_INVALID' })
  }
  const texts = Object.entries(optional).map(([key, value]) => [key, String(value)])
  return {
    digest,
    repository: critical.identity?.['docker-reference'] ?? '',
    annotations: Object.fromEntries(texts),
  }
}

const READING = { what: 'payload of a signature', code: 'MANIFEST_INVALID' } as const
