import { TsbuildError } from '#core'

/** What ends an attachment, unless it is chosen otherwise. */
export const DETACH_KEYS = 'ctrl-p,ctrl-q'

const CONTROLS = '@abcdefghijklmnopqrstuvwxyz[\\]^_'

/**
 * The bytes of keys: `ctrl-p,ctrl-q`, `a,b`.
 * @throws {TsbuildError} USAGE
 */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(','), (key) => {
    const control = /^ctrl-(.)$/.exec(key)?.[1]
    const code = control === undefined ? -1 : CONTROLS.indexOf(control)
    if (code >= 0) return code
    if (key.length === 1 && key.charCodeAt(0) < 0x80) return key.charCodeAt(0)
    throw new TsbuildError(`invalid detach keys (${text}): Unknown character: '${key}'`, {
      code: 'USAGE',
      hint: 'write keys such as a, or ctrl-KEY, with commas between them',
    })
  })
}

/** Keys as they are typed, until those come that detach. */
export class DetachKeys {
  readonly #keys: Uint8Array
  #matched = 0

  constructor(keys: Uint8Array) {
    this.#keys = keys
  }

  /**
   * What of typed bytes goes on. The start of the keys that detach is held back until it is known what follows.
   * @returns `undefined` when the keys are complete
   */
  pass(typed: Uint8Array): Uint8Array | undefined {
    const passed: number[] = []
    for (const byte of typed) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1
        if (this.#matched === this.#keys.length) return undefined
        continue
      }
      passed.push(...this.#keys.subarray(0, this.#matched))
      this.#matched = byte === this.#keys[0] && this.#keys.length > 1 ? 1 : 0
      if (this.#matched === 0) passed.push(byte)
    }
    return Uint8Array.from(passed)
  }
}
