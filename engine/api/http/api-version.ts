import { TsbuildError } from '#core'

/** A version of the Docker Engine API; the major number is 1. */
export interface ApiVersion {
  readonly minor: number
}

export const OLDEST: ApiVersion = { minor: 24 }
export const NEWEST: ApiVersion = { minor: 56 }

/** `1.56` */
export function formatVersion({ minor }: ApiVersion): string {
  return `1.${minor}`
}

/** A path of a request, and the version that it is written for. */
export interface VersionedPath {
  readonly version: ApiVersion
  /** Without the version. */
  readonly path: string
}

/** Splits `/v1.41/info`; a path without a version is of the newest one. @throws {TsbuildError} USAGE */
export function splitVersion(path: string): VersionedPath {
  const found = /^\/v(\d{1,3})\.(\d{1,5})(\/.*)$/.exec(path)
  if (found === null) return { version: NEWEST, path }
  const [, major, minor, rest = '/'] = found
  const version = { minor: Number(minor) }
  if (major !== '1' || version.minor > NEWEST.minor) {
    throw new TsbuildError(
      `client version ${major}.${minor} is too new. Maximum supported API version is ${formatVersion(NEWEST)}`,
      { code: 'USAGE' },
    )
  }
  if (version.minor < OLDEST.minor) {
    throw new TsbuildError(
      `client version ${major}.${minor} is too old. Minimum supported API version is ${formatVersion(OLDEST)}, please upgrade your client to a newer version`,
      { code: 'USAGE' },
    )
  }
  return { version, path: rest }
}
