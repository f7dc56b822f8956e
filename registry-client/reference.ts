import { type Digest, isDigest, TsbuildError, withoutCredentials } from '#core'

/**
 * Names an image in a registry. `registry` is as the user means it (`docker.io`, `localhost:5000`),
 * never the network host behind it. With a tag and a digest the digest decides.
 */
export interface Reference {
  readonly registry: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

/** The registry of names that have none: Docker Hub. */
export const DEFAULT_REGISTRY = 'docker.io'
const DEFAULT_TAG = 'latest'
const OFFICIAL = 'library/'
const MAX_NAME = 255
const MAX_TEXT = 1024

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
const DOMAIN = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::([0-9]{1,5}))?$`)
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`)
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const ANY_DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/

/**
 * Parses and normalises a name as docker does: `alpine` is `docker.io/library/alpine`. No tag is
 * made up, see `withDefaultTag`. Spec: distribution reference grammar.
 * @throws {TsbuildError} REFERENCE_INVALID
 */
export function parseReference(text: string): Reference {
  if (/^[0-9a-f]{64}$/.test(text)) {
    throw invalidReferenceError(
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
      text,
    )
  }
  if (text.length > MAX_TEXT) throw invalidReferenceError('invalid reference format', text)
  const [registry, remainder] = splitDomain(text)
  const [beforeDigest = '', ...digests] = remainder.split('@')
  const [repository = '', ...tags] = beforeDigest.split(':')
  if (repository !== repository.toLowerCase()) {
    const message = `invalid reference format: repository name (${repository}) must be lowercase`
    throw invalidReferenceError(message, text)
  }
  const [tag] = tags
  const [digest] = digests
  const wellFormed =
    isDomain(registry) &&
    REPOSITORY.test(repository) &&
    tags.length <= 1 &&
    digests.length <= 1 &&
    (tag === undefined || TAG.test(tag))
  if (!wellFormed) throw invalidReferenceError('invalid reference format', text)
  if (registry.length + 1 + repository.length > MAX_NAME) {
    throw invalidReferenceError(
      `repository name must not be more than ${MAX_NAME} characters`,
      text,
    )
  }
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest: checkDigest(digest, text) }),
  }
}

/** The reference itself when it has a tag or a digest, else with the tag `latest`. */
export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference
  return { ...reference, tag: DEFAULT_TAG }
}

/** The canonical form, which `parseReference` reads back: `docker.io/library/alpine:3`. */
export function formatReference(reference: Reference): string {
  const { registry, repository, tag, digest } = reference
  const suffix = `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
  return `${registry}/${repository}${suffix}`
}

/** The form that people write, without `docker.io/` and `library/`; read back it is the same. */
export function familiarReference(reference: Reference): string {
  const full = formatReference(reference)
  if (reference.registry !== DEFAULT_REGISTRY) return full
  const short = full.slice(DEFAULT_REGISTRY.length + 1)
  const isOfficial = short.startsWith(OFFICIAL) && !short.slice(OFFICIAL.length).includes('/')
  if (isOfficial) return short.slice(OFFICIAL.length)
  // A user whose name looks like a host, docker.io's too, keeps the registry in front, or it would be read as one.
  return splitDomain(short)[1] === short ? short : full
}

/** The host that serves a registry's API: Docker Hub's is not called `docker.io`. */
export function networkHost(registry: string): string {
  return registry === DEFAULT_REGISTRY ? 'registry-1.docker.io' : registry
}

/** The first component is a host only when it cannot be a user's name on Docker Hub. */
function splitDomain(text: string): readonly [string, string] {
  const slash = text.indexOf('/')
  const first = text.slice(0, Math.max(slash, 0))
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase()
  const domain = isHost ? first : DEFAULT_REGISTRY
  const remainder = isHost ? text.slice(slash + 1) : text
  if (domain !== DEFAULT_REGISTRY && domain !== `index.${DEFAULT_REGISTRY}`) {
    return [domain, remainder]
  }
  return [DEFAULT_REGISTRY, remainder.includes('/') ? remainder : `${OFFICIAL}${remainder}`]
}

function isDomain(text: string): boolean {
  const match = DOMAIN.exec(text)
  return match !== null && Number(match[1] ?? 0) <= 65535 && URL.canParse(`http://${text}/`)
}

function checkDigest(digest: string, text: string): Digest {
  if (isDigest(digest)) return digest
  if (!ANY_DIGEST.test(digest)) throw invalidReferenceError('invalid reference format', text)
  const isSha256 = digest.startsWith('sha256:')
  throw invalidReferenceError(
    isSha256 ? 'invalid checksum digest length' : 'unsupported digest algorithm',
    text,
  )
}

function invalidReferenceError(message: string, text: string): TsbuildError {
  return new TsbuildError(message, {
    code: 'REFERENCE_INVALID',
    hint: `write ${JSON.stringify(withoutCredentials(text).slice(0, 200))} as [registry/]repository[:tag][@sha256:…]`,
  })
}
