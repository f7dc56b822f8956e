import type { Timing, Transport } from '#http'
import { request } from './download.ts'
import { downloadError } from './download-error.ts'

/** What locating a remote needs. */
export interface LocationDeps {
  readonly transport: Transport
  readonly timing: Timing
  readonly signal: AbortSignal | undefined
}

/** What git requests from a remote first. Spec: gitprotocol-http(5) */
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
  { transport, timing, signal }: LocationDeps,
): Promise<string> {
  const first = new URL(`${remote.replace(/\/+$/, '')}/${FIRST}`)
  const wanted = {
    url: first,
    headers: {},
    secretHeaders: { authorization },
    mayDowngrade: false,
    signal,
  }
  const response = await request(transport, wanted, timing)
  response.stream?.discard()
  const { href } = response.url
  if (href.endsWith(`/${FIRST}`)) return href.slice(0, -FIRST.length - 1)
  throw downloadError(first, 'it is redirected to no repository')
}
