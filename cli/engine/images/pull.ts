import type { EngineClient } from '#engine/client'
import { familiarReference, parseReference, type Reference, withDefaultTag } from '#registry-client'
import type { Shell } from '../../terminal/shell.ts'
import { showProgress } from './json-progress.ts'

/** An image that a daemon is to pull. */
export interface PullRequest {
  readonly image: string
  readonly platform: string | undefined
  /** Nothing is shown. */
  readonly isQuiet: boolean
}

/** Lets a daemon pull an image, with the credentials that this user has. @throws {EngineError} */
export async function pullImage(
  client: EngineClient,
  { image, platform, isQuiet }: PullRequest,
  shell: Shell,
): Promise<void> {
  const reference = parseReference(image)
  const messages = client.messages({
    method: 'POST',
    path: '/images/create',
    query: {
      fromImage: familiarName(reference),
      tag: reference.digest ?? reference.tag ?? 'latest',
      platform,
    },
    headers: await authHeaders(reference.registry, shell),
  })
  const output = isQuiet ? { write: () => undefined } : shell.stderr
  await showProgress(messages, output)
}

/** `busybox:latest` of `docker.io/library/busybox`: as docker names images to people. */
export function familiarImage(image: string): string {
  return familiarReference(withDefaultTag(parseReference(image)))
}

function familiarName({ registry, repository }: Reference): string {
  return familiarReference({ registry, repository })
}

/** What authenticates this user at a registry, for the daemon to use. Spec: Docker Engine API, X-Registry-Auth */
async function authHeaders(
  registry: string,
  { env }: Pick<Shell, 'env'>,
): Promise<Readonly<Record<string, string>>> {
  const { defaultCredentials } = await import('#builder')
  const credentials = await defaultCredentials(env).get(registry)
  if (credentials === undefined) return {}
  const serveraddress = registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry
  const { kind } = credentials
  const fields =
    kind === 'password'
      ? { username: credentials.username, password: credentials.password }
      : kind === 'identity-token'
        ? { username: credentials.username, identitytoken: credentials.token }
        : kind === 'registry-token'
          ? { registrytoken: credentials.token }
          : {}
  const text = JSON.stringify({ ...fields, serveraddress })
  return { 'x-registry-auth': Buffer.from(text).toString('base64url') }
}
