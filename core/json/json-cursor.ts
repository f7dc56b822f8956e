const MAX_DEPTH = 64
const SPACE = ' \t\n\r'
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const MAX_SHOWN = 100

/**
 * Reads JSON text once, from its start to its end. `JSON.parse` is not enough: it keeps the last of
 * two equal keys silently, and drops the written form of numbers.
 */
export class JsonCursor {
  readonly #text: string
  /** Where the next token starts. */
  #at = 0
  /** Keys and positions that lead to the value that comes next. */
  readonly #path: (number | string)[] = []

  constructor(text: string) {
    this.#text = text
    this.#skip(0)
  }

  /** The first character of the next token; empty at the end. */
  get first(): string {
    return this.#text.charAt(this.#at)
  }

  /** Where the next token starts, for `textSince`. */
  get position(): number {
    return this.#at
  }

  /** What was read since `position` was `start`. */
  textSince(start: number): string {
    return this.#text.slice(start, this.#at).trimEnd()
  }

  /** The next value; `undefined` for null. @throws {JsonProblem} */
  read<T>(readValue: (cursor: JsonCursor) => T): T | undefined {
    return this.#takeWord('null') ? undefined : readValue(this)
  }

  /** @throws {JsonProblem} */
  string(): string {
    if (this.first !== '"') throw this.problem('is not a string')
    const start = this.#at
    let end = start
    do {
      end = this.#text.indexOf('"', end + 1)
      if (end < 0) throw this.#malformed()
    } while (this.#isEscaped(end))
    const quoted = this.#text.slice(start, end + 1)
    this.#skip(quoted.length)
    try {
      const value: string = JSON.parse(quoted)
      // Half a surrogate pair is read as U+FFFD by Go.
      return value.toWellFormed()
    } catch {
      // The error would quote the text, which may be secret.
      throw this.#malformed()
    }
  }

  /** The number as it is written. @throws {JsonProblem} */
  number(): string {
    NUMBER.lastIndex = this.#at
    const [text] = NUMBER.exec(this.#text) ?? []
    if (text === undefined) throw this.problem('is not a number')
    this.#skip(text.length)
    return text
  }

  /** @throws {JsonProblem} */
  boolean(): boolean {
    if (this.#takeWord('true')) return true
    if (this.#takeWord('false')) return false
    throw this.problem('is not true or false')
  }

  /** Calls `readMember` at each value of an object. @throws {JsonProblem} */
  members(readMember: (key: string) => void): void {
    if (!this.#take('{')) throw this.problem('is not an object')
    const seen = new Set<string>()
    this.#series('}', () => {
      const key = this.string()
      this.#path.push(key)
      if (seen.has(key)) throw this.problem('is there twice')
      seen.add(key)
      if (!this.#take(':')) throw this.#malformed()
      readMember(key)
      this.#path.pop()
    })
  }

  /** Calls `readElement` at each value of a list. @throws {JsonProblem} */
  elements(readElement: () => void): void {
    if (!this.#take('[')) throw this.problem('is not a list')
    let index = 0
    this.#series(']', () => {
      this.#path.push(index++)
      readElement()
      this.#path.pop()
    })
  }

  /** @throws {JsonProblem} when anything follows */
  end(): void {
    if (this.#at < this.#text.length) throw this.#malformed()
  }

  /** What is wrong with the value that comes next. `reason` holds nothing of the document. */
  problem(reason: string): JsonProblem {
    return new JsonProblem(this.#path.map(pathStep).join('').replace(/^\./, ''), reason)
  }

  #series(close: '}' | ']', readOne: () => void): void {
    if (this.#take(close)) return
    if (this.#path.length >= MAX_DEPTH) {
      throw this.problem(`is nested deeper than ${MAX_DEPTH} levels`)
    }
    do readOne()
    while (this.#take(','))
    if (!this.#take(close)) throw this.#malformed()
  }

  #malformed(): JsonProblem {
    return new JsonProblem('', `is not valid JSON at character ${this.#at + 1}`)
  }

  #take(character: string): boolean {
    if (this.first !== character) return false
    this.#skip(1)
    return true
  }

  #takeWord(word: string): boolean {
    if (this.first !== word[0] || !this.#text.startsWith(word, this.#at)) return false
    this.#skip(word.length)
    return true
  }

  /** Skips a token and the white space behind it. */
  #skip(length: number): void {
    this.#at += length
    while (this.#at < this.#text.length && SPACE.includes(this.first)) this.#at++
  }

  #isEscaped(quote: number): boolean {
    let start = quote
    while (this.#text[start - 1] === '\\') start--
    return (quote - start) % 2 === 1
  }
}

/** Why a document is not taken. */
export class JsonProblem extends Error {
  /** The value that is meant, with keys of the document: `layers[0].size`; empty: the document. */
  readonly path: string
  /** Holds nothing of the document. */
  readonly reason: string

  constructor(path: string, reason: string) {
    super(`${path || 'it'} ${reason}`)
    this.path = path
    this.reason = reason
  }
}

function pathStep(step: number | string): string {
  if (typeof step === 'number') return `[${step}]`
  return /^[\w.]{1,64}$/.test(step) ? `.${step}` : `[${JSON.stringify(step.slice(0, MAX_SHOWN))}]`
}
