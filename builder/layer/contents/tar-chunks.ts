import { crc32 } from 'node:zlib'

/** A piece of a tar, as it was written, and what shows whether it is still that. */
export interface CheckedChunk {
  readonly position: number
  readonly size: number
  readonly crc: number
}

/** Notes the chunks of a tar while they are written. */
export class ChunkNotes {
  readonly #numbers: number[] = []
  /** Bytes so far. */
  size = 0

  add(chunk: Uint8Array): void {
    this.#numbers.push(chunk.length, crc32(chunk))
    this.size += chunk.length
  }

  /** As `parseChunks` reads it. */
  toString(): string {
    return JSON.stringify(this.#numbers)
  }
}

/** What `ChunkNotes` has noted. */
export function parseChunks(text: string): readonly CheckedChunk[] {
  const numbers = JSON.parse(text) as readonly number[]
  const chunks: CheckedChunk[] = []
  let position = 0
  for (let at = 0; at < numbers.length; at += 2) {
    const [size = 0, crc = 0] = [numbers[at], numbers[at + 1]]
    chunks.push({ position, size, crc })
    position += size
  }
  return chunks
}
