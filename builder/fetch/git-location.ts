import type { Timing, Wire } from '#registry-client'
import { failed, request } from './download.ts'

export interface LocationDeps {
  readonly wire: Wire
  readonly timing: Timing
  readonly signal: AbortSignal | undefined
}

/** What git asks a remote for first. Spec: gitprotocol-http(5) */
const FIRST = 'info/refs?service=git-upload-pack'

/**
 * Follows the redirects of an http(s) remote. Unlike git, this sends credentials to the remote's own
 * origin only.
 * @returns the remote that they lead to
 * @throws {TsbuildError} DOWNLOAD_FAILED, CANCELLED
 */
export async function locateRemote(
  remote: string,
  authorization: string,
  { wire, timing, signal }: LocationDeps,
): Promise<string> {
  const first = new URL(`${remote.replace(/\/+$/, '')}/${FIRST}`)
  let last = first
  const wanted = {
    url: first,
    headers: {},
    secretHeaders: { authorization },
    mayDowngrade: false,
    onRedirect: (url: URL) => {
      last = url
    },
    signal,
  }
  const response = await request(wire, wanted, timing)
  response.stream?.discard()
  if (last.href.endsWith(`/${FIRST}`)) return last.href.slice(0, -FIRST.length - 1)
  throw failed(first, 'it is redirected to no repository')
}
