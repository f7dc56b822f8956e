import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Json } from '#core'

/** What a daemon has answered. */
export interface DockerAnswer {
  readonly status: number
  readonly body: { readonly [key: string]: Json } | undefined
}

/** Sends one request to a daemon. */
export async function askDocker(
  socketPath: string,
  [method, path]: readonly [method: string, path: string],
  body?: unknown,
): Promise<DockerAnswer> {
  const headers = { 'content-type': 'application/json' }
  const sent = request({ socketPath, method, path: `/v1.41${path}`, headers })
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const answer = await text(response)
  return {
    status: response.statusCode ?? 0,
    body: answer === '' ? undefined : JSON.parse(answer),
  }
}
