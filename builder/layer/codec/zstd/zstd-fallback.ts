import { Worker } from 'node:worker_threads'
import type { Bytes } from '#core'
import { blocksOf } from '../bytes/blocks.ts'
import { framesOf, zstdError } from './frames.ts'

/** More at once would exhaust zstd-codec's memory. */
const MAX_INPUT = 4 * 1024 * 1024
const DECOMPRESS_INPUT = 64 * 1024

/** Independent frames of at most 4 MiB: for a Node whose `node:zlib` has no zstd. */
export async function* zstdByCodec(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const codec = new CodecThread('compress')
  try {
    await codec.answer()
    for await (const block of blocksOf(bytes, MAX_INPUT)) yield* await codec.ask(block)
  } finally {
    await codec.close()
  }
}

/** The counterpart, for frames of any size. */
export async function* unzstdByCodec(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  const codec = new CodecThread('decompress')
  try {
    await codec.answer()
    for await (const block of blocksOf(frameBytes(bytes), DECOMPRESS_INPUT)) {
      yield* await codec.ask(block)
    }
  } finally {
    await codec.close()
  }
}

async function* frameBytes(bytes: Bytes): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of framesOf(bytes)) yield piece.bytes
}

type Answer = readonly Uint8Array[] | string

class CodecThread {
  readonly #worker = new Worker(new URL('./zstd-worker.js', import.meta.url), { env: {} })

  constructor(task: 'compress' | 'decompress') {
    this.#worker.postMessage(task)
  }

  ask(bytes: Uint8Array): Promise<readonly Uint8Array[]> {
    const answer = this.answer()
    this.#worker.postMessage(bytes)
    return answer
  }

  answer(): Promise<readonly Uint8Array[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Uint8Array[]>()
    const fail = (cause: unknown) => reject(zstdError('zstd failed', cause))
    const take = (answer: Answer) => {
      if (typeof answer === 'string') fail(answer)
      else resolve(answer)
    }
    this.#worker.once('message', take)
    this.#worker.once('error', fail)
    this.#worker.once('exit', fail)
    return promise.finally(() => {
      this.#worker.off('message', take)
      this.#worker.off('error', fail)
      this.#worker.off('exit', fail)
    })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
