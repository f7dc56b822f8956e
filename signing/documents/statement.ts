import { type Digest, hexOf, isDigest, readDocument, shapes, TsbuildError } from '#core'

/** An in-toto statement: something is said of these digests. Spec: in-toto attestation framework v1 */
export interface Statement {
  readonly predicateType: string
  /** Those of SHA-256; each subject has one, or the statement is refused. */
  readonly subjects: readonly StatementSubject[]
  /** The text of the predicate, which is JSON. */
  readonly predicate: string
}

/** What a statement is about. */
export interface StatementSubject {
  readonly digest: Digest
  readonly annotations: Readonly<Record<string, string>>
}

/** Types of statements, whose fields that are read here are the same. */
const VERSIONS = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1']

const { any, list, map, object, string, withText } = shapes
const STATEMENT = object({
  _type: string,
  predicateType: string,
  subject: list(object({ digest: map(string), annotations: map(any) })),
  predicate: withText(any),
})

/** The statement of cosign that this is signed, and nothing more. */
export function signStatement({ digest, annotations }: StatementSubject): Buffer {
  const hasAnnotations = Object.keys(annotations).length > 0
  const subject = { digest: { sha256: hexOf(digest) }, ...(hasAnnotations ? { annotations } : {}) }
  const [_type] = VERSIONS
  return Buffer.from(
    JSON.stringify({ _type, subject: [subject], predicateType: SIGN_PREDICATE, predicate: {} }),
  )
}

/** What cosign's signatures of images say. */
export const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1'

/** @throws {TsbuildError} MANIFEST_INVALID */
export function readStatement(bytes: Uint8Array): Statement {
  const { _type = '', predicateType = '', ...rest } = readDocument(bytes, STATEMENT, READING)
  if (!VERSIONS.includes(_type)) throw invalidError('it is of an unknown version')
  const subjects = (rest.subject ?? []).map(({ digest = {}, annotations = {} }) => {
    const sha256 = `sha256:${digest.sha256 ?? ''}`
    if (!isDigest(sha256)) throw invalidError('a subject has no digest of SHA-256')
    const texts = Object.entries(annotations).map(([key, value]) => [key, String(value)])
    return { digest: sha256, annotations: Object.fromEntries(texts) }
  })
  if (subjects.length === 0) throw invalidError('it is about nothing')
  return { predicateType, subjects, predicate: rest.predicate?.text ?? 'null' }
}

const READING = { what: 'in-toto statement', code: 'MANIFEST_INVALID' } as const

function invalidError(problem: string): TsbuildError {
  const message = `invalid in-toto statement: ${problem}`
  return new TsbuildError(message, { code: 'MANIFEST_INVALID' })
}
