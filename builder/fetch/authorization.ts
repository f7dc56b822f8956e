/** Finds a secret of the build by its name; `undefined` when there is none. */
export type FindSecret = (id: string) => Promise<Uint8Array | undefined>

/** A kind of secret, and the Authorization header that one makes. */
interface Kind {
  readonly id: string
  readonly toHeader: (secret: string) => string
}

const unchanged = (secret: string): string => secret
const bearer = (token: string): string => `Bearer ${token}`
/** How GitHub and GitLab accept a token. */
const gitToken = (token: string): string =>
  `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`

/** The Authorization header for a URL: from the secrets `HTTP_AUTH_HEADER_HOST` and `HTTP_AUTH_TOKEN_HOST`. */
export function httpAuthorization(url: URL, find: FindSecret): Promise<string | undefined> {
  const kinds = hostsOf(url).flatMap((host): Kind[] => [
    { id: `HTTP_AUTH_HEADER_${host}`, toHeader: unchanged },
    { id: `HTTP_AUTH_TOKEN_${host}`, toHeader: bearer },
  ])
  return firstOf(kinds, find)
}

/**
 * The Authorization header for an http(s) remote: from the secrets `GIT_AUTH_HEADER` and `GIT_AUTH_TOKEN`, those with
 * `.HOST` at their end first.
 */
export function gitAuthorization(remote: string, find: FindSecret): Promise<string | undefined> {
  if (!/^https?:/.test(remote)) return Promise.resolve(undefined)
  const ends = [...hostsOf(new URL(remote)).map((host) => `.${host}`), '']
  const kinds = ends.flatMap((end): Kind[] => [
    { id: `GIT_AUTH_HEADER${end}`, toHeader: unchanged },
    { id: `GIT_AUTH_TOKEN${end}`, toHeader: gitToken },
  ])
  return firstOf(kinds, find)
}

function hostsOf({ host, hostname }: URL): readonly string[] {
  return host === hostname ? [host] : [host, hostname]
}

async function firstOf(kinds: readonly Kind[], find: FindSecret): Promise<string | undefined> {
  for (const { id, toHeader } of kinds) {
    const secret = await find(id)
    if (secret !== undefined) return toHeader(Buffer.from(secret).toString('utf8').trim())
  }
  return undefined
}
