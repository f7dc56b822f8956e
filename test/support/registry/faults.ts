import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { RecordedRequest, Reply } from './http.ts'

/** What goes wrong, and with which requests. */
export interface Fault {
  readonly method?: string
  /** Matched against path and query. */
  readonly path?: RegExp
  /** Matching requests that are let through first; 0 by default. */
  readonly after?: number
  /** How many requests it hits; 1 by default. */
  readonly times?: number
  readonly action: FaultAction
}

export type FaultAction =
  /** Answers this instead of doing anything; after that many bytes of a body, which are kept. */
  | { readonly kind: 'reply'; readonly reply: Reply; readonly afterBytes?: number }
  /** Does what was asked and changes the answer: other headers, flipped bits, a redirect. */
  | {
      readonly kind: 'edit'
      readonly edit: (reply: Reply) => Reply
      /** Ends the connection after that many bytes of the answer's body, too. */
      readonly cut?: Cut
    }
  /** Breaks the connection after that many bytes of the request's body, by default before any. */
  | { readonly kind: 'reset'; readonly afterBytes?: number }
  /** Does what was asked, and breaks the connection instead of saying so. */
  | { readonly kind: 'unanswered' }
  /** Answers, and ends the connection after that many bytes of the answer's body. */
  | ({ readonly kind: 'cut' } & Cut)
  /** Goes silent: before the answer, or after that many bytes of the answer's body. */
  | { readonly kind: 'stall'; readonly afterBytes?: number }
  /** Sends the answer's body in pieces of that size, with a pause (ms) after each. */
  | { readonly kind: 'trickle'; readonly bytes: number; readonly pause: number }
  /** Runs first; then the request is handled as ever. */
  | { readonly kind: 'before'; readonly run: () => void }

interface Cut {
  readonly afterBytes: number
  readonly how: 'end' | 'reset'
}

/** The faults that are still to come, in the order in which they were asked for. */
export class FaultPlan {
  #faults: { readonly fault: Fault; skip: number; left: number }[] = []
  /** Asked for what no fault of the list hits. */
  choose: ((request: RecordedRequest) => FaultAction | undefined) | undefined

  add(fault: Fault): void {
    this.#faults.push({ fault, skip: fault.after ?? 0, left: fault.times ?? 1 })
  }

  clear(): void {
    this.#faults = []
    this.choose = undefined
  }

  /** The first fault that hits this request, used up by one. */
  take(request: RecordedRequest): FaultAction | undefined {
    for (const entry of this.#faults) {
      const { method, path, action } = entry.fault
      if (method !== undefined && method !== request.method) continue
      if (path !== undefined && !path.test(request.url)) continue
      if (entry.skip > 0) {
        entry.skip--
        continue
      }
      if (entry.left <= 0) continue
      entry.left--
      return action
    }
    return this.choose?.(request)
  }
}

/** Reads a body and hands on its pieces; stops, or breaks the connection, where the fault says so. */
export async function receive(
  request: IncomingMessage,
  action: FaultAction | undefined,
  onChunk: (chunk: Buffer) => void,
): Promise<'received' | 'reset'> {
  const isCut = action?.kind === 'reset' || action?.kind === 'reply'
  const limit = isCut ? (action.afterBytes ?? 0) : Number.POSITIVE_INFINITY
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  let size = 0
  if (limit > 0) {
    for await (const chunk of body) {
      onChunk(chunk)
      size += chunk.length
      if (size >= limit) break
    }
  }
  if (action?.kind === 'reset') return reset(request)
  // Whoever answers early reads the rest all the same, or the connection is of no use any more.
  request.resume()
  return 'received'
}

function reset(request: IncomingMessage): 'reset' {
  request.socket.resetAndDestroy()
  return 'reset'
}

/** Sends an answer with its fault. */
export async function send(
  response: ServerResponse,
  reply: Reply,
  action: FaultAction | undefined,
): Promise<void> {
  const body = Buffer.from(reply.body ?? '')
  if (action?.kind === 'stall' && action.afterBytes === undefined) return
  if (action?.kind === 'unanswered') {
    response.socket?.resetAndDestroy()
    return
  }
  const hasBody = response.req.method !== 'HEAD' && reply.status !== 204
  const length = hasBody || body.length > 0 ? { 'content-length': String(body.length) } : {}
  response.writeHead(reply.status, { ...length, ...reply.headers })
  if (!hasBody) {
    response.end()
    return
  }
  const cutting = action?.kind === 'edit' ? action.cut : action?.kind === 'cut' ? action : undefined
  if (cutting !== undefined) return cut(response, body.subarray(0, cutting.afterBytes), cutting.how)
  switch (action?.kind) {
    case 'stall':
      response.write(body.subarray(0, action.afterBytes))
      return
    case 'trickle':
      for (let at = 0; at < body.length && !response.destroyed; at += action.bytes) {
        response.write(body.subarray(at, at + action.bytes))
        await delay(action.pause)
      }
      response.end()
      return
    default:
      response.end(body)
  }
}

function cut(response: ServerResponse, part: Buffer, how: 'end' | 'reset'): void {
  if (part.length === 0) response.flushHeaders()
  // Time for the part to leave: a reset throws away what is still waiting to be sent.
  response.write(part.length === 0 ? '' : part, () => setTimeout(() => close(response, how), 20))
}

function close(response: ServerResponse, how: 'end' | 'reset'): void {
  if (how === 'reset') response.socket?.resetAndDestroy()
  else response.socket?.destroy()
}
