import { Buffer } from 'node:buffer'

/** What stands in the place of a secret. */
const MASK = Buffer.from('***')
/** A shorter secret, or line of one, would be found in text that says nothing of it. */
const LEAST = 4
const LEAST_OF_LINE = 8
const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * Takes secrets out of a stream of output: each as a whole, or each line of one with several. What may be the
 * begin of one is held back until it is known.
 */
export class Redactor {
  readonly #secrets: readonly Buffer[]
  readonly #longest: number
  #held: Buffer = Buffer.alloc(0)

  constructor(secrets: readonly Uint8Array[]) {
    this.#secrets = secrets.flatMap(partsOf).toSorted((a, b) => b.length - a.length)
    this.#longest = this.#secrets[0]?.length ?? 0
  }

  /** What can be said of the output so far. */
  push(data: Uint8Array): Uint8Array {
    if (this.#longest === 0) return data
    const whole = Buffer.concat([this.#held, data])
    const clean = this.#replace(whole)
    const from = this.#beginsAt(clean.rest)
    this.#held = clean.rest.subarray(from)
    return Buffer.concat([...clean.parts, clean.rest.subarray(0, from)])
  }

  /** What was held back to the end. */
  end(): Uint8Array {
    const held = this.#held
    this.#held = Buffer.alloc(0)
    return held
  }

  /** @returns what is complete, and the rest behind the last secret */
  #replace(whole: Buffer): { readonly parts: readonly Buffer[]; readonly rest: Buffer } {
    const parts: Buffer[] = []
    let rest = whole
    for (;;) {
      const found = this.#first(rest)
      if (found === undefined) return { parts, rest }
      parts.push(rest.subarray(0, found.at), MASK)
      rest = rest.subarray(found.at + found.length)
    }
  }

  /** The first secret; of those that begin there the longest. */
  #first(text: Buffer): { readonly at: number; readonly length: number } | undefined {
    let first: { readonly at: number; readonly length: number } | undefined
    for (const secret of this.#secrets) {
      const at = text.indexOf(secret)
      if (at >= 0 && (first === undefined || at < first.at)) first = { at, length: secret.length }
    }
    return first
  }

  /** Where the end of a text may be the begin of a secret; its length if nowhere. */
  #beginsAt(text: Buffer): number {
    for (let at = Math.max(0, text.length - this.#longest + 1); at < text.length; at += 1) {
      const end = text.subarray(at)
      const isBegin = (secret: Buffer): boolean =>
        secret[0] === end[0] && secret.subarray(0, end.length).equals(end)
      if (this.#secrets.some(isBegin)) return at
    }
    return text.length
  }
}

function partsOf(secret: Uint8Array): readonly Buffer[] {
  const lines = linesOf(Buffer.from(secret))
  const least = lines.length > 1 ? LEAST_OF_LINE : LEAST
  return lines.filter(({ length }) => length >= least)
}

/** Without what ends them, and without empty ones. */
function linesOf(text: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  for (let from = 0; from < text.length; ) {
    const newline = text.indexOf(NEWLINE, from)
    const end = newline < 0 ? text.length : newline
    const line = text.subarray(from, text[end - 1] === RETURN ? end - 1 : end)
    if (line.length > 0) lines.push(line)
    from = end + 1
  }
  return lines
}
