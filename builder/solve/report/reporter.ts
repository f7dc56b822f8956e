import type { RemoteVertex, Vertex, VertexId } from '#builder/plan'
import {
  type CacheHit,
  type Descriptor,
  type Ending,
  type ExecutionReason,
  type OnEvent,
  reported,
  type StepUsage,
  type VertexKept,
} from '#core'

/** Milliseconds between two reports about one blob. */
const REPORT_INTERVAL = 100

/** Bytes so far, and in all when that is known. */
type OnProgress = (current: number, total: number | undefined) => void

/** What layers are downloaded for. */
export interface PulledVertex {
  readonly id: VertexId
  /** As a person reads it. */
  readonly name: string
}

/** The downloads of one image that are under way: they are reported as one vertex. */
interface Pull {
  pending: number
  readonly ended: PromiseWithResolvers<void>
}

/** Reports the vertices of one plan, each start once and each end once. */
export class Reporter {
  readonly #onEvent: OnEvent
  readonly #reported = new Set<VertexId>()
  readonly #cached = new Set<VertexId>()
  readonly #warned = new Set<string>()
  readonly #pulls = new Map<string, Pull>()

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent
  }

  /** Whether a vertex came out of the cache. */
  isCached(id: VertexId): boolean {
    return this.#cached.has(id)
  }

  /** Reports a result that was found, and how. */
  hit(vertex: Vertex, by: CacheHit, key?: string): void {
    if (this.#reported.has(vertex.id)) return
    this.#reported.add(vertex.id)
    this.#cached.add(vertex.id)
    const known = key === undefined ? {} : { key }
    this.#onEvent({ type: 'started', vertex: vertex.id, name: vertex.name })
    this.#onEvent({ type: 'cached', vertex: vertex.id, by, ...known })
  }

  /** Reports a piece of a step's output. */
  output(vertex: Vertex, stream: 'stdout' | 'stderr', data: Uint8Array): void {
    this.#onEvent({ type: 'log', vertex: vertex.id, stream, data })
  }

  /** Reports what the processes of a step have used. */
  used(vertex: Vertex, usage: StepUsage): void {
    this.#onEvent({ type: 'usage', vertex: vertex.id, ...usage })
  }

  /** Reports what can be looked at of a step that is about to fail. */
  kept(vertex: Vertex, kept: Omit<VertexKept, 'type' | 'vertex'>): void {
    this.#onEvent({ type: 'kept', vertex: vertex.id, ...kept })
  }

  /** Reports a warning at the line of a vertex. */
  warning(vertex: Vertex, message: string): void {
    const { line } = vertex.range.start
    this.#onEvent({ type: 'warning', vertex: vertex.id, message, line })
  }

  /** Reports a warning that holds for many steps for the first of them only. */
  warnOnce(topic: string, vertex: Vertex, message: string): void {
    if (this.#warned.has(topic)) return
    this.#warned.add(topic)
    this.warning(vertex, message)
  }

  /** Says once that results of earlier builds cannot be looked up or stored; the build goes on. */
  cacheFailure(cause: unknown): void {
    if (this.#warned.has('cache')) return
    this.#warned.add('cache')
    const reason = cause instanceof Error ? cause.message : String(cause)
    this.#onEvent({
      type: 'warning',
      message: `the cache of results does not answer, so steps may run again: ${reason}`,
    })
  }

  /** Reports the download of base layers: one line an image, however many of its layers come. */
  async pull<T>(
    vertex: PulledVertex,
    blob: Descriptor,
    download: (onProgress: (current: number) => void) => Promise<T>,
  ): Promise<T> {
    const id = `pull ${vertex.id}`
    const pull = this.#pulls.get(id) ?? this.#openPull(id, vertex)
    pull.pending++
    try {
      return await download(this.#progressOf(id, blob))
    } catch (cause) {
      pull.ended.reject(cause)
      throw cause
    } finally {
      if (--pull.pending === 0) {
        this.#pulls.delete(id)
        pull.ended.resolve()
      }
    }
  }

  /** Reports what is asked of a remote: it ends as cached when nothing had to be fetched. */
  async fetch<T extends { readonly isCached: boolean }>(
    vertex: RemoteVertex,
    perform: (onProgress: OnProgress) => Promise<T>,
  ): Promise<T> {
    this.#reported.add(vertex.id)
    const ending = ({ isCached }: T): Ending => ({ hit: isCached ? 'remote' : undefined })
    const { id, name } = vertex
    return reported({ id, name, part: 'fetch', ending }, this.#onEvent, async () => {
      const result = await perform(this.#fetchProgress(vertex))
      if (result.isCached) this.#cached.add(vertex.id)
      return result
    })
  }

  /** Reports a step that is executed, and the key of its result. */
  async step<T extends { readonly step: { readonly key: string } }>(
    { id, name }: Vertex,
    reason: ExecutionReason,
    perform: () => Promise<T>,
  ): Promise<T> {
    this.#reported.add(id)
    this.#cached.delete(id)
    const ending = ({ step }: T): Ending => ({ key: step.key })
    return reported({ id, name, reason, ending }, this.#onEvent, perform)
  }

  #openPull(id: string, { name }: PulledVertex): Pull {
    const ended = Promise.withResolvers<void>()
    // A failure rejects the download too, which is awaited.
    reported({ id, name, part: 'fetch' }, this.#onEvent, () => ended.promise).catch(() => {})
    const pull = { pending: 0, ended }
    this.#pulls.set(id, pull)
    return pull
  }

  #fetchProgress({ id, name }: Pick<RemoteVertex, 'id' | 'name'>): OnProgress {
    let next = 0
    return (current, total) => {
      const now = performance.now()
      const done = current === total
      if (now < next && !done) return
      next = now + REPORT_INTERVAL
      const known = total === undefined ? {} : { total }
      this.#onEvent({ type: 'progress', vertex: id, id: name, current, ...known, done })
    }
  }

  #progressOf(vertex: string, { digest, size }: Descriptor): (current: number) => void {
    const report = this.#fetchProgress({ id: vertex, name: digest })
    return (current) => report(current, size)
  }
}
