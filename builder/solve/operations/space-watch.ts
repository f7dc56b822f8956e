const SAID = /No space left on device|ENOSPC|Disk quota exceeded/
/** The longest of these texts. */
const LONGEST = 'No space left on device'.length

/** Reads the output of a step for what programs say when there is no space left. */
export class SpaceWatch {
  /** The end of what was read, by stream: a text may come in two pieces. */
  readonly #ends = new Map<string, string>()
  #isUsedUp = false

  /** Whether a program said so. */
  get isUsedUp(): boolean {
    return this.#isUsedUp
  }

  read(stream: 'stdout' | 'stderr', data: Uint8Array): void {
    if (this.#isUsedUp) return
    const piece = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('latin1')
    const text = `${this.#ends.get(stream) ?? ''}${piece}`
    this.#isUsedUp = SAID.test(text)
    this.#ends.set(stream, text.slice(-LONGEST))
  }
}
