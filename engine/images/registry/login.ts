import { clientFor, type ImageOptions } from '#builder'
import { type JsonObject, TsbuildError } from '#core'
import { parseReference } from '#registry-client'
import { ANONYMOUS, loginOf } from './request-credentials.ts'

/**
 * Finds out whether a registry accepts credentials; nothing of them is kept. Spec: Docker Engine API, POST /auth
 * @throws {TsbuildError} REGISTRY_DENIED, USAGE and registry failures
 */
export async function login(document: JsonObject, network: ImageOptions): Promise<JsonObject> {
  const { registry, credentials } = loginOf(document)
  try {
    parseReference(`${registry}/x/y`)
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    throw new TsbuildError(`invalid registry ${JSON.stringify(registry.slice(0, 200))}`, {
      code: 'USAGE',
      cause,
    })
  }
  await using client = clientFor({ ...network, credentials: ANONYMOUS })
  await client.ping(registry, credentials, { signal: network.signal })
  return { IdentityToken: '', Status: 'Login Succeeded' }
}
