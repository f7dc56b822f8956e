import type { ImageVertex, RemoteVertex, Vertex, VertexId } from '#builder/plan'
import { type Descriptor, type OnEvent, reported } from '#core'

/** Milliseconds between two reports about one blob. */
const REPORT_INTERVAL = 100

/** Bytes so far, and in all when that is known. */
type OnProgress = (current: number, total: number | undefined) => void

/** The downloads of one image that are under way: they are told of as one. */
interface Pull {
  pending: number
  readonly ended: PromiseWithResolvers<void>
}

/** Tells the world about vertices, each start once and each end once. */
export class Reporter {
  readonly #onEvent: OnEvent
  readonly #told = new Set<VertexId>()
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

  hit(vertex: Vertex): void {
    if (this.#told.has(vertex.id)) return
    this.#told.add(vertex.id)
    this.#cached.add(vertex.id)
    this.#onEvent({ type: 'started', vertex: vertex.id, name: vertex.name })
    this.#onEvent({ type: 'cached', vertex: vertex.id })
  }

  output(vertex: Vertex, stream: 'stdout' | 'stderr', data: Uint8Array): void {
    this.#onEvent({ type: 'log', vertex: vertex.id, stream, data })
  }

  warning(vertex: Vertex, message: string): void {
    this.#onEvent({ type: 'warning', message, line: vertex.range.start.line })
  }

  /** For what is true of many steps: the first one tells of it. */
  warnOnce(topic: string, vertex: Vertex, message: string): void {
    if (this.#warned.has(topic)) return
    this.#warned.add(topic)
    this.warning(vertex, message)
  }

  /** Reports the download of base layers: one line an image, however many of its layers come. */
  async pull(
    vertex: ImageVertex,
    blob: Descriptor,
    download: (onProgress: (current: number) => void) => Promise<void>,
  ): Promise<void> {
    const id = `pull ${vertex.id}`
    const pull = this.#pulls.get(id) ?? this.#openPull(id, vertex)
    pull.pending++
    try {
      await download(this.#progressOf(id, blob))
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
    let isCached = false
    const onEvent: OnEvent = (event) =>
      this.#onEvent(
        isCached && event.type === 'done' ? { type: 'cached', vertex: vertex.id } : event,
      )
    this.#told.add(vertex.id)
    return reported(vertex, onEvent, async () => {
      const result = await perform(this.#fetchProgress(vertex))
      isCached = result.isCached
      if (isCached) this.#cached.add(vertex.id)
      return result
    })
  }

  /** Reports the start, the end and the failure of `perform`. */
  async step<T>(vertex: Vertex, perform: () => Promise<T>): Promise<T> {
    this.#told.add(vertex.id)
    this.#cached.delete(vertex.id)
    return reported(vertex, this.#onEvent, perform)
  }

  #openPull(id: string, { base }: ImageVertex): Pull {
    const ended = Promise.withResolvers<void>()
    // Who waits for a layer hears of its failure as well.
    reported({ id, name: `pull ${base.name}` }, this.#onEvent, () => ended.promise).catch(() => {})
    const pull = { pending: 0, ended }
    this.#pulls.set(id, pull)
    return pull
  }

  #fetchProgress({ id, name }: RemoteVertex): OnProgress {
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
    let next = 0
    return (current) => {
      const now = performance.now()
      const done = current === size
      if (now < next && !done) return
      next = now + REPORT_INTERVAL
      this.#onEvent({ type: 'progress', vertex, id: digest, current, total: size, done })
    }
  }
}
