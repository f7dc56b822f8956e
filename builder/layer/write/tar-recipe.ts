import type { NotedEntries } from '../contents/contents-writer.ts'

/** Bytes that follow each other in an earlier tar, or in a file of what that one has not. */
export interface TarPart {
  readonly from: 'earlier' | 'pieces'
  readonly position: number
  readonly size: number
}

/** How a tar is put together; it can be posted to another thread. */
export interface TarRecipe {
  /** In the order of the tar; its end is not among them. */
  readonly parts: readonly TarPart[]
  /** What was noted of its entries; `undefined` where that was not wanted, or does not tell the tar. */
  readonly entries: NotedEntries | undefined
}

/** Bytes that an earlier tar has not. */
export function newBytes({ parts }: TarRecipe): number {
  const pieces = parts.filter(({ from }) => from === 'pieces')
  return pieces.reduce((sum, { size }) => sum + size, 0)
}

/** Parts of a tar; what follows its predecessor in the same file is one part with it. */
export class TarParts {
  readonly #parts: TarPart[] = []

  add(part: TarPart): void {
    if (part.size === 0) return
    const last = this.#parts.at(-1)
    const isNext = last?.from === part.from && last.position + last.size === part.position
    if (isNext) this.#parts.splice(-1, 1, { ...last, size: last.size + part.size })
    else this.#parts.push(part)
  }

  toArray(): readonly TarPart[] {
    return this.#parts
  }
}
