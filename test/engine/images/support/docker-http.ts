import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'

/** An answer of dockerd. */
export interface DockerAnswer {
  readonly status: number
  /** Of JSON; of several lines of it, each. */
  readonly documents: readonly unknown[]
}

/** Sends a request to a daemon. @param path with the version: `/v1.41/images/json` */
export async function askDocker(
  socketPath: string,
  [method, path]: readonly [method: string, path: string],
  body?: Buffer,
): Promise<DockerAnswer> {
  const sent = request({ socketPath, method, path, agent: false })
  sent.setHeader('content-type', 'application/x-tar')
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const lines = (await text(response)).split('\n').filter((line) => line.trim() !== '')
  const documents = lines.map((line) => JSON.parse(line) as unknown)
  return { status: response.statusCode ?? 0, documents }
}
