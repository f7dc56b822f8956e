import type { ImageVertex, Vertex, VertexId } from '#builder/plan'
import { type Descriptor, type OnEvent, TsbuildError } from '#core'

/** Tells the world about vertices, each start once and each end once. */
export class Reporter {
  readonly #onEvent: OnEvent
  readonly #ended = new Map<VertexId, 'cached' | 'done' | 'failed'>()
  readonly #pulls = new Map<string, { readonly started: number; pending: number }>()

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent
  }

  /** Whether a vertex came out of the cache. */
  isCached(id: VertexId): boolean {
    return this.#ended.get(id) === 'cached'
  }

  hit(vertex: Vertex): void {
    if (this.#ended.has(vertex.id)) return
    this.#ended.set(vertex.id, 'cached')
    this.#onEvent({ type: 'started', vertex: vertex.id, name: vertex.name })
    this.#onEvent({ type: 'cached', vertex: vertex.id })
  }

  output(vertex: Vertex, stream: 'stdout' | 'stderr', data: Uint8Array): void {
    this.#onEvent({ type: 'log', vertex: vertex.id, stream, data })
  }

  warning(vertex: Vertex, message: string): void {
    this.#onEvent({ type: 'warning', message, line: vertex.range.start.line })
  }

  /** Reports the download of base layers: one line an image, however many of its layers come. */
  async pull(
    vertex: ImageVertex,
    download: (onProgress: (blob: Descriptor, current: number) => void) => Promise<void>,
  ): Promise<void> {
    const id = `pull ${vertex.id}`
    const pull = this.#pulls.get(id) ?? { started: performance.now(), pending: 0 }
    this.#pulls.set(id, pull)
    if (pull.pending++ === 0) {
      this.#onEvent({ type: 'started', vertex: id, name: `pull ${vertex.base.name}` })
    }
    try {
      await download(({ digest, size }, current) => {
        const progress = { id: digest, current, total: size, done: current === size }
        this.#onEvent({ type: 'progress', vertex: id, ...progress })
      })
    } finally {
      if (--pull.pending === 0) {
        const milliseconds = performance.now() - pull.started
        this.#onEvent({ type: 'done', vertex: id, milliseconds })
      }
    }
  }

  /** Reports the start, the end and the failure of `perform`. */
  async step<T>(vertex: Vertex, perform: () => Promise<T>): Promise<T> {
    const started = performance.now()
    this.#onEvent({ type: 'started', vertex: vertex.id, name: vertex.name })
    try {
      const result = await perform()
      const milliseconds = performance.now() - started
      this.#ended.set(vertex.id, 'done')
      this.#onEvent({ type: 'done', vertex: vertex.id, milliseconds })
      return result
    } catch (cause) {
      const milliseconds = performance.now() - started
      this.#ended.set(vertex.id, 'failed')
      if (isCancellation(cause)) {
        this.#onEvent({ type: 'cancelled', vertex: vertex.id })
      } else {
        const message = cause instanceof Error ? cause.message : String(cause)
        this.#onEvent({ type: 'failed', vertex: vertex.id, message, milliseconds })
      }
      throw cause
    }
  }
}

function isCancellation(cause: unknown): boolean {
  if (cause instanceof TsbuildError) return cause.code === 'CANCELLED'
  return cause instanceof Error && cause.name === 'AbortError'
}
