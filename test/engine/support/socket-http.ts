import { once } from 'node:events'
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
} from 'node:http'
import { buffer } from 'node:stream/consumers'

/** A whole answer. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** The bytes as text. */
  readonly body: string
}

/** Begins a request over a connection of its own. */
export function begin(socket: string, method: string, path: string): ClientRequest {
  return request({ socketPath: socket, method, path, agent: false })
}

/** Ends a request. @returns its answer, of which nothing is read yet */
export async function answerTo(
  sent: ClientRequest,
  body?: string | Buffer,
): Promise<IncomingMessage> {
  sent.end(body)
  const [answer] = await once(sent, 'response')
  return answer
}

/** Ends a request. @returns all of its answer */
export async function finish(sent: ClientRequest, body?: string | Buffer): Promise<Answer> {
  const answer = await answerTo(sent, body)
  const bytes = await buffer(answer)
  const { statusCode: status = 0, headers } = answer
  return { status, headers, bytes, body: bytes.toString() }
}

/** Sends one request, and reads all of its answer. */
export async function ask(
  socket: string,
  method: string,
  ...[path, body]: readonly [path: string, body?: string | Buffer]
): Promise<Answer> {
  return await finish(begin(socket, method, path), body)
}
