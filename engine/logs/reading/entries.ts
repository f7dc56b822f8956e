import { NEWLINE } from '../format/log-line.ts'

/** No entry is longer, whatever its attributes; what is longer is no log and is passed over. */
const MOST_BYTES = 4 * 1024 * 1024

/** Puts entries together from blocks of a file. */
export class EntryAssembler {
  #held: Buffer[] = []
  #size = 0

  /** The entries that end in this block, without their newlines. */
  push(block: Buffer): readonly Buffer[] {
    const end = block.lastIndexOf(NEWLINE)
    if (end < 0) {
      this.#hold(block)
      return []
    }
    const whole = this.#size === 0 ? block : Buffer.concat([...this.#held, block])
    const entries = splitEntries(whole.subarray(0, whole.length - (block.length - end - 1)))
    this.#held = []
    this.#size = 0
    if (end + 1 < block.length) this.#hold(block.subarray(end + 1))
    return entries
  }

  #hold(block: Buffer): void {
    // An end without its beginning is no entry, and is passed over as one that was torn.
    if (this.#size > MOST_BYTES) {
      this.#held = []
      this.#size = 0
    }
    this.#held.push(block)
    this.#size += block.length
  }
}

function splitEntries(bytes: Buffer): readonly Buffer[] {
  const entries: Buffer[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at)
    entries.push(bytes.subarray(at, end))
    at = end + 1
  }
  return entries
}
