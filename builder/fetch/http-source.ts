import { type Digest, decoded, isDigest, TsbuildError, withoutCredentials } from '#core'

/** One file on a web server. Data only: part of a plan. */
export interface HttpSource {
  /** With user and query, without fragment. */
  readonly url: string
  /** The name of the file: one safe path component. */
  readonly name: string
  /** The digest that the file must have. */
  readonly checksum?: Digest
}

const UNNAMED = '__unnamed__'
const MAX_NAME_BYTES = 255

/**
 * A source of ADD that is an http(s) URL; `undefined` for every other text. The file is named after
 * the last component of the URL's path.
 * @throws {TsbuildError} DOCKERFILE_INVALID for a URL that cannot be parsed
 */
export function parseHttpSource(text: string): HttpSource | undefined {
  if (!/^https?:\/\//i.test(text)) return undefined
  if (!URL.canParse(text)) {
    const shown = JSON.stringify(withoutCredentials(text))
    throw new TsbuildError(`invalid URL ${shown}`, { code: 'DOCKERFILE_INVALID' })
  }
  const url = new URL(text)
  url.hash = ''
  return { url: url.href, name: nameOf(url) }
}

/** The source with the value of `--checksum`. @throws {TsbuildError} DOCKERFILE_INVALID */
export function withChecksum(source: HttpSource, checksum: string): HttpSource {
  if (isDigest(checksum)) return { ...source, checksum }
  throw new TsbuildError(`invalid checksum ${JSON.stringify(checksum)}`, {
    code: 'DOCKERFILE_INVALID',
    hint: 'the checksum of a file is sha256: and 64 lowercase hex digits',
  })
}

/** For messages: without password and query, which may be secret. */
export function httpSourceName({ url }: HttpSource): string {
  return redacted(new URL(url))
}

/** The URL without user, password, query and fragment. */
export function redacted(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}${url.search === '' ? '' : '?…'}`
}

function nameOf(url: URL): string {
  const path = url.pathname.replace(/\/+$/, '')
  const name = decoded(path).replace(/\/+$/, '')
  const base = name.slice(name.lastIndexOf('/') + 1)
  const isUsable = base !== '' && base !== '.' && base !== '..' && !base.includes('\0')
  return isUsable && Buffer.byteLength(base) <= MAX_NAME_BYTES ? base : UNNAMED
}
