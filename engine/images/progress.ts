/** What clients of a long request read: JSON documents, one a line. Spec: Docker Engine API, JSONMessage */
import { TsbuildError } from '#core'

/** One message. */
export interface ProgressMessage {
  readonly stream?: string
  readonly status?: string
  /** What it is about: a layer, or a tag. */
  readonly id?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
  /** Drawn by the sender, for old clients. */
  readonly progress?: string
  readonly errorDetail?: { readonly code?: number; readonly message: string }
  /** As in `errorDetail`, for old clients. */
  readonly error?: string
  readonly aux?: Readonly<Record<string, string | number>>
}

/** Takes messages in their order, without waiting for whom they are for. */
export interface MessageSink {
  readonly send: (message: ProgressMessage) => void
  /** For what may be as much as there is: it is clipped where the client reads too slowly. */
  readonly output: (message: ProgressMessage) => void
}

/** Bytes of output that wait for a client that reads slowly. */
const MOST_WAITING = 16 * 1024 * 1024

/** How the failure of work is told. */
export interface MessageOptions {
  /** Where nothing was sent before. Default: `thrown`. */
  readonly first?: 'thrown' | 'message'
  /** Aborts when the reader goes away. */
  readonly signal?: AbortSignal | undefined
  /** The exit code that the message has. */
  readonly codeOf?: (failure: TsbuildError) => number | undefined
}

/**
 * The messages of work that begins with the first one that is asked for. It fails as the work does where that has sent
 * nothing yet; else the last message says why. The signal of the work aborts when the reader stops, or goes away.
 */
export async function* messagesOf(
  work: (sink: MessageSink, signal: AbortSignal) => Promise<void>,
  { first = 'thrown', codeOf = () => undefined, signal }: MessageOptions = {},
): AsyncGenerator<ProgressMessage, void, undefined> {
  const queue = new MessageQueue()
  const gone = new AbortController()
  const stop = signal === undefined ? gone.signal : AbortSignal.any([signal, gone.signal])
  const done = work(queue, stop).then(
    () => queue.close(),
    (cause: unknown) => queue.fail(cause),
  )
  let isFirst = true
  try {
    for (;;) {
      const message = await queue.next()
      if (message === undefined) break
      isFirst = false
      yield message
    }
    if (queue.failure === undefined) return
    if (isFirst && first === 'thrown') throw queue.failure.cause
    yield failureMessage(queue.failure.cause, codeOf)
  } finally {
    gone.abort()
    await done
  }
}

function failureMessage(
  cause: unknown,
  codeOf: (failure: TsbuildError) => number | undefined,
): ProgressMessage {
  const message = cause instanceof Error ? cause.message : String(cause)
  const code = cause instanceof TsbuildError ? codeOf(cause) : undefined
  return { errorDetail: { ...(code === undefined ? {} : { code }), message }, error: message }
}

/** Messages between their sender, who does not wait, and a reader who may be slow. */
class MessageQueue implements MessageSink {
  #waiting: ProgressMessage[] = []
  #reading: Iterator<ProgressMessage> = [].values()
  /** Bytes of output that wait. */
  #size = 0
  #isClipped = false
  #isClosed = false
  #wake = Promise.withResolvers<void>()
  failure: { readonly cause: unknown } | undefined

  readonly send: MessageSink['send'] = (message) => {
    const last = this.#waiting.at(-1)
    // Numbers that nobody has read yet are replaced by newer ones.
    if (last !== undefined && isNewer(message, last)) this.#waiting.pop()
    this.#waiting.push(message)
    this.#wake.resolve()
  }

  readonly output: MessageSink['output'] = (message) => {
    const size = message.stream?.length ?? 0
    if (this.#size + size <= MOST_WAITING) {
      this.#size += size
      this.#isClipped = false
      this.send(message)
    } else if (!this.#isClipped) {
      this.#isClipped = true
      this.send({ stream: '[output clipped: it is read too slowly]\n' })
    }
  }

  close(): void {
    this.#isClosed = true
    this.#wake.resolve()
  }

  fail(cause: unknown): void {
    this.failure = { cause }
    this.close()
  }

  /** `undefined` after the last one. */
  async next(): Promise<ProgressMessage | undefined> {
    for (;;) {
      const { value, done } = this.#reading.next()
      if (done !== true) return value
      if (this.#waiting.length > 0) {
        this.#reading = this.#waiting.values()
        this.#waiting = []
        this.#size = 0
      } else if (this.#isClosed) return undefined
      else {
        await this.#wake.promise
        this.#wake = Promise.withResolvers()
      }
    }
  }
}

function isNewer(message: ProgressMessage, last: ProgressMessage): boolean {
  const isCount =
    last.progressDetail?.current !== undefined && message.progressDetail?.current !== undefined
  return isCount && last.id === message.id && last.status === message.status
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

/** Bytes with four digits at most, as docker shows them. */
function formatAmount(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${Number(value.toPrecision(4))}${UNITS[unit]}`
}

const WIDTH = 50

/** The bytes of a transfer so far. */
export function transferMessage(
  status: string,
  id: string,
  { current, total }: { readonly current: number; readonly total?: number | undefined },
): ProgressMessage {
  const amount = formatAmount(current).padStart(8)
  if (total === undefined || total <= 0) {
    return { status, id, progressDetail: { current }, progress: amount }
  }
  const done = Math.floor(Math.min(1, current / total) * WIDTH)
  const bar = `[${'='.repeat(done)}>${' '.repeat(WIDTH - done)}]`
  const progress = `${bar} ${amount}/${formatAmount(total)}`
  return { status, id, progressDetail: { current, total }, progress }
}

/** A state without numbers, as docker writes it of a layer. */
export function layerMessage(status: string, id: string): ProgressMessage {
  return { status, progressDetail: {}, id }
}
