import type { Buffer } from 'node:buffer'
import { Digester, digestOfContent } from '#core'
import type { DescribedEntry } from './described-entry.ts'
import { Gatherer } from './gatherer.ts'
import type { LayerIndex } from './layer-index.ts'
import { type EntryPart, TarParts } from './tar-parts.ts'

/** Each frame is a message to another thread; a part that is fetched alone is not much larger than this. */
const FRAME_SIZE = 2 * 1024 * 1024

/** Bytes that become one frame. */
export interface TarFrame {
  readonly bytes: Buffer
  /** Entries without content whose headers end in it. */
  readonly entries: readonly DescribedEntry[]
  /** What it is a part of. */
  readonly part: ContentPart | undefined
}

/** A part of the content of an entry. */
export interface ContentPart {
  readonly entry: DescribedEntry
  readonly digest: string
  /** Of the whole content, with its last part. */
  readonly whole: string | undefined
}

/** The content that is being read. */
interface OpenContent {
  readonly entry: DescribedEntry | undefined
  /** Bytes that are to come. */
  awaited: number
  /** Bytes of which no frame was made. */
  left: number
  /** Of a content of several parts. */
  readonly digester: Digester | undefined
}

/** Cuts a tar into what is packed to frames: contents of files alone, and what is between them. */
export class TarFrames {
  readonly #index: LayerIndex
  readonly #parts = new TarParts()
  readonly #gatherer = new Gatherer(FRAME_SIZE)
  /** Headers since the last content. */
  readonly #before = new Gatherer(FRAME_SIZE)
  #entries: DescribedEntry[] = []
  #content: OpenContent | undefined

  constructor(index: LayerIndex) {
    this.#index = index
  }

  async *cut(bytes: Buffer): AsyncGenerator<TarFrame, void, undefined> {
    for (const part of this.#parts.cut(bytes)) {
      if (part.kind === 'entry') yield* this.#begin(part)
      else if (part.kind === 'content') yield* this.#contents(part.bytes)
      else yield* this.#between(part.bytes)
    }
    if (!this.#parts.isPlainTar) this.#index.giveUp()
  }

  /** To be called after the last byte. @returns what the tar has after the last entry */
  *end(): Generator<TarFrame, Buffer, undefined> {
    this.#parts.end()
    if (!this.#parts.isPlainTar) this.#index.giveUp()
    yield* this.#flush()
    return this.#before.take()
  }

  async *#begin(part: EntryPart): AsyncGenerator<TarFrame, void, undefined> {
    const entry = await this.#index.add(part, this.#before.take())
    const { size } = part.entry
    if (size === 0 || part.isSparse) {
      if (entry !== undefined) this.#entries.push(entry)
      return
    }
    yield* this.#flush()
    this.#content = {
      entry,
      awaited: size,
      left: size,
      digester: size > FRAME_SIZE ? new Digester() : undefined,
    }
  }

  *#between(bytes: Buffer): Generator<TarFrame, void, undefined> {
    for (const full of this.#gatherer.add(bytes)) yield this.#frame(full)
    if (this.#index.isGivenUp) return
    // No reader takes so many headers for one entry.
    for (const _ of this.#before.add(bytes)) this.#index.giveUp()
  }

  *#contents(bytes: Buffer): Generator<TarFrame, void, undefined> {
    const content = this.#content
    if (content === undefined) throw new Error('content before its entry')
    content.awaited -= bytes.length
    for (const full of this.#gatherer.add(bytes)) yield this.#part(full, content)
    if (content.awaited > 0) return
    const last = this.#gatherer.take()
    if (last.length > 0) yield this.#part(last, content)
    this.#content = undefined
  }

  #part(bytes: Buffer, content: OpenContent): TarFrame {
    const { entry, digester } = content
    content.left -= bytes.length
    const isLast = content.left === 0
    if (entry === undefined || this.#index.isGivenUp) return { bytes, entries: [], part: undefined }
    this.#index.content(bytes, { isLast })
    digester?.update(bytes)
    const digest = digestOfContent(bytes)
    const whole = isLast ? (digester?.digest() ?? digest) : undefined
    return { bytes, entries: [], part: { entry, digest, whole } }
  }

  *#flush(): Generator<TarFrame, void, undefined> {
    const rest = this.#gatherer.take()
    if (rest.length > 0 || this.#entries.length > 0) yield this.#frame(rest)
  }

  #frame(bytes: Buffer): TarFrame {
    const entries = this.#entries
    this.#entries = []
    return { bytes, entries, part: undefined }
  }
}
