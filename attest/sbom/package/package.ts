/** A package of an image, as its own files describe it. */
export interface Package {
  readonly type: 'deb' | 'apk' | 'rpm' | 'npm' | 'pypi' | 'golang' | 'maven'
  readonly name: string
  readonly version: string
  /** Its package URL: equal for the same package at several places. */
  readonly url: string
  /** As declared, which need not be an expression of SPDX. */
  readonly license?: string | undefined
  /** Who maintains it. */
  readonly supplier?: string | undefined
  /** The file that says so, from the root of the image. */
  readonly source: string
}

/** The system that an image holds. */
export interface Distribution {
  /** `debian`, say. */
  readonly id: string
  readonly version: string | undefined
}

/** Characters of what a file says about a package. */
const MOST = 1000

/** One line of a text of an untrusted file; `undefined` for none. */
export function lineOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they belong into no document
  const line = text.replace(/[\x00-\x1f\x7f]+/g, ' ').trim()
  return line === '' ? undefined : line.slice(0, MOST)
}

/** `debian-12`, for the qualifier of package URLs. */
export function distroName(distribution: Distribution | undefined): string | undefined {
  if (distribution === undefined) return undefined
  const { id, version } = distribution
  return version === undefined ? id : `${id}-${version}`
}
