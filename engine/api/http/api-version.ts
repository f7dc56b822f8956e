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
  /** Why there is none, where it is not served. */
  readonly version: ApiVersion | TsbuildError
  /** Without the version. */
  readonly path: string
}

const VERSIONED = /^\/v(\d{1,3})\.(\d{1,5})(\/.*)$/

/** Splits `/v1.41/info`; a path without a version is of the newest one. */
export function splitVersion(url: string): VersionedPath {
  const found = VERSIONED.exec(url)
  if (found === null) return { version: NEWEST, path: url }
  const [, major, minor, path = '/'] = found
  const version = { minor: Number(minor) }
  if (isOld(major, minor)) {
    const advice = 'please upgrade your client to a newer version'
    const message = `client version ${major}.${minor} is too old. Minimum supported API version is ${formatVersion(OLDEST)}, ${advice}`
    return { version: new TsbuildError(message, { code: 'USAGE' }), path }
  }
  if (major !== '1' || version.minor > NEWEST.minor) {
    const message = `client version ${major}.${minor} is too new. Maximum supported API version is ${formatVersion(NEWEST)}`
    return { version: new TsbuildError(message, { code: 'USAGE' }), path }
  }
  return { version, path }
}

/** Whether a client is so old that it reads errors as text. */
export function readsTextErrors(url: string): boolean {
  const [, major, minor] = VERSIONED.exec(url) ?? []
  return isOld(major, minor)
}

function isOld(major: string | undefined, minor: string | undefined): boolean {
  return Number(major) === 0 || (major === '1' && Number(minor) < OLDEST.minor)
}
