import type { Buffer } from 'node:buffer'
import { emptyAnswer, type Query, RCODE, rcodeOf } from './dns-message.ts'
import { askOverTcp, askOverUdp, type Exchange } from './exchange.ts'

/** What a question came over, and goes on over. */
export type Transport = 'udp' | 'tcp'

/** How a question is passed on. */
export interface ForwardOptions {
  readonly transport: Transport
  readonly signal: AbortSignal
}

/** How often each server is asked that does not answer. */
const ROUNDS = 2
/** Milliseconds after which the next server is asked too; the answer of the first one still counts. */
const PATIENCE = 1500
/** Milliseconds after which there will be no answer: C libraries ask again before that. */
const DEADLINE = 9000

const EXCHANGES: Readonly<Record<Transport, Exchange>> = { udp: askOverUdp, tcp: askOverTcp }

/**
 * Asks the servers at these addresses in their order until one knows.
 * @returns the first answer that is not a failure of its server; else the last failure, or one of ours
 */
export async function forward(
  query: Query,
  servers: readonly string[],
  { transport, signal }: ForwardOptions,
): Promise<Buffer> {
  using round = new AskingRound(query, servers, EXCHANGES[transport])
  const giveUp = (): void => round.end()
  const timer = setTimeout(giveUp, DEADLINE)
  signal.addEventListener('abort', giveUp)
  try {
    round.askNext()
    return (await round.answer) ?? emptyAnswer(query, RCODE.SERVFAIL)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  }
}

/** One question on its way to several servers. */
class AskingRound implements Disposable {
  readonly #query: Query
  readonly #exchange: Exchange
  readonly #waiting: string[]
  readonly #outcome = Promise.withResolvers<Buffer | undefined>()
  readonly #ended = new AbortController()
  #asked = 0
  #timer: NodeJS.Timeout | undefined
  #failure: Buffer | undefined

  constructor(query: Query, servers: readonly string[], exchange: Exchange) {
    this.#query = query
    this.#exchange = exchange
    this.#waiting = Array.from({ length: ROUNDS }, () => servers).flat()
  }

  /** The first good answer, else the last failure of a server, once no server is left. */
  get answer(): Promise<Buffer | undefined> {
    return this.#outcome.promise
  }

  /** Asks the next server beside those that have not answered yet. */
  askNext(): void {
    clearTimeout(this.#timer)
    const server = this.#waiting.shift()
    if (server === undefined) {
      if (this.#asked === 0) this.end()
      return
    }
    this.#asked++
    this.#timer = setTimeout(() => this.askNext(), PATIENCE)
    this.#exchange(this.#query, server, this.#ended.signal).then(
      (answer) => this.#receive(server, answer),
      // Nothing can be opened any more, say; the client asks again.
      () => this.#receive(server, undefined),
    )
  }

  /** Settles the answer with what there is. */
  end(): void {
    this.#outcome.resolve(this.#failure)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#waiting.length = 0
    this.#ended.abort()
  }

  #receive(server: string, answer: Buffer | undefined): void {
    this.#asked--
    if (answer !== undefined && !isFailure(answer)) {
      this.#outcome.resolve(answer)
      return
    }
    if (answer !== undefined) {
      this.#failure = answer
      // It would say the same again.
      const again = this.#waiting.indexOf(server)
      if (again >= 0) this.#waiting.splice(again, 1)
    }
    this.askNext()
  }
}

/** Another server may know more. */
function isFailure(answer: Buffer): boolean {
  const failures: readonly number[] = [RCODE.SERVFAIL, RCODE.NOTIMP, RCODE.REFUSED]
  return failures.includes(rcodeOf(answer))
}
