import { TsbuildError } from '#core'
import { familiarReference, type Reference, RegistryError } from '#registry-client'
import type { RequestCredentials } from './request-credentials.ts'

/** What a registry wants and a request has not. */
const NO_CREDENTIALS = 'no basic auth credentials'

/** The failure of a pull in docker's words, which clients compare. */
export function pullError(
  cause: unknown,
  reference: Reference,
  credentials: RequestCredentials,
): unknown {
  if (!(cause instanceof TsbuildError)) return cause
  const { registry, repository } = reference
  const name = familiarReference({ registry, repository })
  const codes = cause instanceof RegistryError ? cause.registryCodes : []
  const said = (message: string): TsbuildError => {
    return new TsbuildError(message, { code: 'NOT_FOUND', cause })
  }
  // A registry that is only asked whether it has something says no more than that it has not.
  const isUnknown = cause.code === 'NOT_FOUND' && codes.length === 0
  if (codes.includes('MANIFEST_UNKNOWN') || isUnknown) {
    const whole = familiarReference(reference)
    return said(`manifest for ${whole} not found: manifest unknown: manifest unknown`)
  }
  if (codes.includes('NAME_UNKNOWN')) {
    return said(`repository ${name} not found: name unknown: repository name not known to registry`)
  }
  const [, platform] = / for (\S+): no match for platform in manifest/.exec(cause.message) ?? []
  if (cause.code === 'PLATFORM_MISMATCH' && platform !== undefined) {
    return said(`no matching manifest for ${platform} in the manifest list entries`)
  }
  // Clients that hear of a 401 ask for a password.
  if (isUnauthorized(cause) && !credentials.knows(registry)) {
    const whole = JSON.stringify(familiarReference(reference))
    return said(
      `failed to resolve reference ${whole}: pull access denied, repository does not exist or may require authorization: authorization failed: ${NO_CREDENTIALS}`,
    )
  }
  if (cause.code === 'REGISTRY_DENIED' && (codes.includes('DENIED') || codes.length === 0)) {
    return said(
      `pull access denied for ${name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    )
  }
  return cause
}

/** The failure of a push in docker's words. */
export function pushError(
  cause: unknown,
  { registry }: Reference,
  credentials: RequestCredentials,
): unknown {
  if (!isUnauthorized(cause) || credentials.knows(registry)) return cause
  return new TsbuildError(NO_CREDENTIALS, { code: 'REGISTRY_DENIED', cause })
}

/** A registry that is only asked whether it has something says no more than its status. */
function isUnauthorized(cause: unknown): cause is RegistryError {
  if (!(cause instanceof RegistryError) || cause.code !== 'REGISTRY_DENIED') return false
  return cause.status === 401 || cause.registryCodes.includes('UNAUTHORIZED')
}
