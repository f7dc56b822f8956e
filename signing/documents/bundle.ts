/**
 * Sigstore's bundle, in which cosign keeps signatures since version 3: a statement in a DSSE envelope, and what its
 * signature is checked with. Spec: protobuf-specs, sigstore_bundle.proto; DSSE v1
 */
import { readDocument, STATEMENT_TYPE, shapes, TsbuildError } from '#core'
import type { ImageSigner } from '../keys/image-key.ts'

/** Of a bundle as it is written here; those that are read may be of an earlier version. */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** Whether it is the type of a bundle, of whatever version. */
export function isBundleType(type: string | undefined): boolean {
  return type?.startsWith('application/vnd.dev.sigstore.bundle') === true
}

/** A bundle that holds a statement. */
export interface Bundle {
  /** Names the key; absent where a certificate does. */
  readonly hint: string | undefined
  /** The bytes of the statement. */
  readonly payload: Buffer
  /** What the signatures are of. */
  readonly signed: Buffer
  readonly signatures: readonly Buffer[]
}

const { list, object, string } = shapes
const BUNDLE = object({
  verificationMaterial: object({ publicKey: object({ hint: string }) }),
  dsseEnvelope: object({
    payload: string,
    payloadType: string,
    signatures: list(object({ sig: string })),
  }),
})

/** A statement, signed. */
export function bundleOf(statement: Buffer, signer: ImageSigner): Buffer {
  const sig = signer.sign(preAuthenticated(STATEMENT_TYPE, statement)).toString('base64')
  return Buffer.from(
    JSON.stringify({
      mediaType: BUNDLE_TYPE,
      verificationMaterial: { publicKey: { hint: signer.hint } },
      dsseEnvelope: {
        payload: statement.toString('base64'),
        payloadType: STATEMENT_TYPE,
        signatures: [{ sig }],
      },
    }),
  )
}

/** @returns `undefined` for a bundle of something else than a statement @throws {TsbuildError} MANIFEST_INVALID */
export function readBundle(bytes: Uint8Array): Bundle | undefined {
  const { verificationMaterial, dsseEnvelope } = readDocument(bytes, BUNDLE, READING)
  if (dsseEnvelope?.payloadType !== STATEMENT_TYPE) return undefined
  const payload = decode(dsseEnvelope.payload ?? '')
  return {
    hint: verificationMaterial?.publicKey?.hint,
    payload,
    signed: preAuthenticated(STATEMENT_TYPE, payload),
    signatures: (dsseEnvelope.signatures ?? []).map(({ sig = '' }) => decode(sig)),
  }
}

const READING = { what: 'bundle of a signature', code: 'MANIFEST_INVALID' } as const

/** What is signed of a payload. Spec: DSSE v1, PAE */
function preAuthenticated(type: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `
  return Buffer.concat([Buffer.from(head), payload])
}

/**
 * Bytes in base64, of one spelling only: others, with what is no base64 in it, decode to the same bytes here and to an
 * error elsewhere.
 * @throws {TsbuildError} MANIFEST_INVALID
 */
export function decode(base64: string): Buffer {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') === base64) return bytes
  throw new TsbuildError('invalid signature: it is not base64', { code: 'MANIFEST_INVALID' })
}
