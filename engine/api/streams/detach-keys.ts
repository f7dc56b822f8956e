import { TsbuildError } from '#core'

/** The keys that leave a terminal where its client names no others. */
const DEFAULT_KEYS = 'ctrl-p,ctrl-q'

/** The bytes of keys: `a`, `ctrl-p`, with commas between them. @throws {TsbuildError} USAGE */
export function parseDetachKeys(text: string | undefined): Buffer {
  const keys = (text ?? DEFAULT_KEYS).split(',')
  return Buffer.from(
    keys.map((key) => {
      if (key.length === 1) return key.charCodeAt(0)
      const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1]
      if (control === undefined) {
        throw new TsbuildError(`Invalid detach keys (${text}) provided`, { code: 'USAGE' })
      }
      return control.toUpperCase().charCodeAt(0) & 0x1f
    }),
  )
}

/** Finds detach keys in what is typed. */
export class DetachKeys {
  readonly #keys: Buffer
  /** How many of the keys were typed last. */
  #matched = 0

  constructor(keys: Buffer) {
    this.#keys = keys
  }

  /** @returns what goes to the program, and whether the keys were typed */
  filter(data: Buffer): { readonly data: Buffer; readonly isDetached: boolean } {
    const passed: number[] = []
    for (const byte of data) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++
        if (this.#matched === this.#keys.length) {
          return { data: Buffer.from(passed), isDetached: true }
        }
        continue
      }
      passed.push(...this.#keys.subarray(0, this.#matched))
      this.#matched = byte === this.#keys[0] ? 1 : 0
      if (this.#matched === 0) passed.push(byte)
    }
    return { data: Buffer.from(passed), isDetached: false }
  }
}
