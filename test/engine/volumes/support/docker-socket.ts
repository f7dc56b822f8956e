import type { Json } from '#core'
import { begin, finish } from '../../support/socket-http.ts'

/** What a daemon has answered. */
export interface DockerAnswer {
  readonly status: number
  readonly body: { readonly [key: string]: Json } | undefined
}

/** Sends one request to a daemon. */
export async function askDocker(
  socket: string,
  [method, path]: readonly [method: string, path: string],
  document?: unknown,
): Promise<DockerAnswer> {
  const sent = begin(socket, method, `/v1.41${path}`)
  sent.setHeader('content-type', 'application/json')
  const { status, body } = await finish(
    sent,
    document === undefined ? undefined : JSON.stringify(document),
  )
  return { status, body: body === '' ? undefined : JSON.parse(body) }
}
