import { digestOf } from '#core'
import { seededRandom } from '../../support/random/index.ts'
import type { FaultAction, MemoryRegistry, RecordedRequest } from '../../support/registry/index.ts'
import { SHARED } from './sample.ts'

/** A fault that may hit a request. */
interface Candidate {
  readonly name: string
  readonly action: () => FaultAction
  /** At most once in a plan, and no other one of the same group. */
  readonly group?: string
}

/** Of the requests that no limit spares. */
const SHARE = 0.3
/** Faults of one request and its repetitions: fewer than a client makes attempts. */
const MOST_OF_ONE = 2
/** They take time. */
const MOST_STALLS = 2
const STATUSES = [408, 425, 429, 500, 502, 503, 504]
const RETRY_AFTER = ['1', '0', '99999', '-5', 'soon', 'Wed, 21 Oct 2015 07:28:00 GMT']

/** Faults that pass: whatever they hit, a client that tries again within its budget succeeds. */
export class PassingFaults {
  readonly #random: () => number
  readonly #registry: MemoryRegistry
  readonly #hits = new Map<string, number>()
  /** What happened, for the report of a plan that failed. */
  readonly log: string[] = []

  constructor(seed: number, registry: MemoryRegistry) {
    this.#random = seededRandom(seed)
    this.#registry = registry
  }

  choose(request: RecordedRequest): FaultAction | undefined {
    if (this.#random() >= SHARE) return undefined
    const key = keyOf(request)
    if ((this.#hits.get(key) ?? 0) >= MOST_OF_ONE) return undefined
    const all = this.#candidates(request).filter(({ name, group }) => {
      const most = name === 'stall' ? MOST_STALLS : Number.POSITIVE_INFINITY
      return (this.#hits.get(name) ?? 0) < most && !this.#hits.has(group ?? '')
    })
    const chosen = this.#pick(all)
    for (const counter of [key, chosen.name, ...(chosen.group ? [chosen.group] : [])]) {
      this.#hits.set(counter, (this.#hits.get(counter) ?? 0) + 1)
    }
    this.log.push(`${chosen.name}: ${request.method} ${request.url}`)
    return chosen.action()
  }

  #candidates(request: RecordedRequest): readonly Candidate[] {
    const { method, url } = request
    const general: readonly Candidate[] = [
      { name: 'reset', action: () => ({ kind: 'reset' }) },
      { name: 'status', action: () => this.#status() },
      { name: 'unanswered', action: () => ({ kind: 'unanswered' }) },
      { name: 'stall', action: () => ({ kind: 'stall' }) },
    ]
    const isUpload = url.includes('/blobs/uploads/')
    if (isUpload && (method === 'PUT' || method === 'PATCH'))
      return [...general, ...this.#ofBodies()]
    if (isUpload && method === 'POST') return [...general, this.#placedElsewhere()]
    if (method === 'PUT') return [...general, this.#expired(0), ...this.#vanished()]
    if (method === 'GET' && /[/](?:blobs|manifests)[/]/.test(url)) {
      return [...general, ...this.#ofAnswers(url)]
    }
    return general
  }

  #status(afterBytes = 0): FaultAction {
    const retryAfter = this.#pick(RETRY_AFTER)
    const headers = this.#random() < 0.5 ? {} : { 'retry-after': retryAfter }
    return { kind: 'reply', reply: { status: this.#pick(STATUSES), headers }, afterBytes }
  }

  /** Of requests that bring bytes: they come in the middle of these. */
  #ofBodies(): readonly Candidate[] {
    const afterBytes = Math.floor(this.#random() * 320_000) + 1
    const reply = (status: number): FaultAction => ({
      kind: 'reply',
      reply: { status },
      afterBytes,
    })
    return [
      { name: 'reset in the middle', action: () => ({ kind: 'reset', afterBytes }) },
      { name: 'status in the middle', action: () => this.#status(afterBytes) },
      { name: 'session lost', group: 'one session lost', action: () => reply(404) },
      { name: 'wrong place', group: 'one wrong place', action: () => reply(416) },
      this.#expired(afterBytes),
    ]
  }

  #ofAnswers(url: string): readonly Candidate[] {
    const afterBytes = Math.floor(this.#random() * 200_000)
    const how = this.#random() < 0.5 ? 'end' : 'reset'
    const location = `${this.#registry.elsewhere}${url}`
    const body = (change: (bytes: Buffer) => Buffer): FaultAction => ({
      kind: 'edit',
      edit: (reply) => ({ ...reply, body: change(Buffer.from(reply.body ?? '')) }),
    })
    return [
      { name: 'cut', action: () => ({ kind: 'cut', afterBytes, how }) },
      { name: 'trickle', action: () => ({ kind: 'trickle', bytes: 20_000, pause: 1 }) },
      { name: 'stall', action: () => ({ kind: 'stall', afterBytes }) },
      { name: 'flip', group: 'damage', action: () => body(flipped) },
      { name: 'truncate', group: 'damage', action: () => body((bytes) => bytes.subarray(1)) },
      {
        name: 'too long',
        group: 'damage',
        action: () => body((bytes) => Buffer.concat([bytes, bytes])),
      },
      {
        name: 'redirect',
        action: () => ({ kind: 'reply', reply: { status: 307, headers: { location } } }),
      },
    ]
  }

  /** The upload is to go on at another origin, which must not be given a token. */
  #placedElsewhere(): Candidate {
    const edit: Extract<FaultAction, { kind: 'edit' }>['edit'] = (reply) => {
      const { location = '' } = reply.headers ?? {}
      const moved = { ...reply.headers, location: new URL(location, this.#registry.elsewhere).href }
      return { ...reply, headers: moved }
    }
    return { name: 'elsewhere', action: () => ({ kind: 'edit', edit }) }
  }

  #expired(afterBytes: number): Candidate {
    const action = (): FaultAction => {
      this.#registry.expireTokens()
      return {
        kind: 'reply',
        reply: this.#registry.challenge('repository:team/app:pull,push'),
        afterBytes,
      }
    }
    return { name: 'token expired', group: 'one token expired', action }
  }

  /** The registry's collector takes a blob that was there when it was looked for; both images need it. */
  #vanished(): readonly Candidate[] {
    if (this.#registry.manifestsOf('team/app').length >= 2) return []
    const run = (): void => this.#registry.dropBlob('team/app', digestOf(SHARED))
    return [
      {
        name: 'blob vanished',
        group: 'one blob vanished',
        action: () => ({ kind: 'before', run }),
      },
    ]
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(this.#random() * from.length)]
    if (picked === undefined) throw new Error('there is nothing to choose from')
    return picked
  }
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1
  return copy
}

/** The same for a request and its repetitions: sessions of uploads have new names each time. */
function keyOf({ method, url }: RecordedRequest): string {
  const digest = /digest=([^&]+)/.exec(url)?.[1]
  const path = url.split('?', 1)[0] ?? ''
  return `${method} ${digest ?? path.replace(/(?<=uploads[/]).*/, '')}`
}
