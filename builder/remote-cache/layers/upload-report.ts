import { type Descriptor, type OnEvent, reported } from '#core'
import { type PushProgress, reportingBytes } from '#registry-client'
import type { CacheShelf, OpenBlob } from '../shelf/cache-shelf.ts'

/** What layers are sent through. */
export type LayerShelf = Pick<CacheShelf, 'source' | 'mountBlob' | 'putBlob' | 'streamBlob'>

/** A time in which layers are under way. */
interface Period {
  pending: number
  readonly ended: PromiseWithResolvers<void>
}

/** Reports the layers that are sent to one cache: as one vertex, as long as any of them is under way. */
export class UploadReport {
  readonly #vertex: { readonly id: string; readonly name: string; readonly part: 'export' }
  readonly #onEvent: OnEvent
  #period: Period | undefined

  /** @param id unique among the vertices of the build */
  constructor(id: string, cache: string, onEvent: OnEvent) {
    this.#vertex = { id, name: `sending layers to ${cache}`, part: 'export' }
    this.#onEvent = onEvent
  }

  /** The same shelf, with what is sent to it reported under the name of a layer. */
  watching(shelf: LayerShelf, layer: string): LayerShelf {
    return {
      source: shelf.source,
      mountBlob: (blob, from, options) => shelf.mountBlob(blob, from, options),
      putBlob: async (blob, open, options) => {
        const watched = this.#counted(layer, open, blob.size)
        await this.#send(layer, async () => {
          await shelf.putBlob(blob, watched, options)
          return blob
        })
      },
      streamBlob: (mediaType, open, options) => {
        const watched = this.#counted(layer, open)
        return this.#send(layer, () => shelf.streamBlob(mediaType, watched, options))
      },
    }
  }

  async #send(layer: string, send: () => Promise<Descriptor>): Promise<Descriptor> {
    this.#period ??= this.#begin()
    const period = this.#period
    period.pending++
    try {
      const sent = await send()
      this.#progress({ id: layer, current: sent.size, total: sent.size, done: true })
      return sent
    } catch (cause) {
      period.ended.reject(cause)
      throw cause
    } finally {
      if (--period.pending === 0) {
        this.#period = undefined
        period.ended.resolve()
      }
    }
  }

  #begin(): Period {
    const ended = Promise.withResolvers<void>()
    // A failure rejects the transfer, too, which is awaited.
    reported(this.#vertex, this.#onEvent, () => ended.promise).catch(() => undefined)
    return { pending: 0, ended }
  }

  #counted(layer: string, open: OpenBlob, total?: number): OpenBlob {
    return reportingBytes({ id: layer, open }, (bytes) => this.#progress(bytes), total)
  }

  #progress(bytes: Omit<PushProgress, 'note'>): void {
    this.#onEvent({ type: 'progress', vertex: this.#vertex.id, ...bytes })
  }
}
