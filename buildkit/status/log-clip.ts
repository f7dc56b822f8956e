/** Bytes in all and bytes a second that are shown of one stream of a step; -1 means unlimited. */
export interface LogLimits {
  readonly size: number
  readonly speed: number
}

/** As BuildKit has it: 2 MiB, and 200 KiB for each second that has begun. */
export const LOG_LIMITS: LogLimits = { size: 2 * 1024 * 1024, speed: 200 * 1024 }

/** So much of the end of a clipped stream is shown when its step has ended, bytes. */
const TAIL_SIZE = 256 * 1024

/**
 * Decides what is shown of one stream of a step. A stream that is longer or faster than the limits is clipped,
 * which is said in it; the last bytes of one that ends like that are kept for the end of the step.
 */
export class LogClip {
  readonly #limits: LogLimits
  #size = 0
  #isClipping = false
  #tail: Buffer[] = []
  #tailSize = 0

  constructor(limits: LogLimits) {
    this.#limits = limits
  }

  /** What to show of `data`. @param seconds since the step began */
  admit(data: Uint8Array, seconds: number): Buffer {
    const { allowed, limit } = this.#allowed(seconds)
    const shown = Buffer.from(data.subarray(0, Math.max(0, allowed - this.#size)))
    this.#size += data.length
    if (shown.length === data.length) {
      this.#isClipping = false
      this.takeTail()
      return shown
    }
    this.#keep(Buffer.from(data.subarray(shown.length)))
    if (this.#isClipping) return shown
    this.#isClipping = true
    return Buffer.concat([shown, Buffer.from(`\n[output clipped, log limit ${limit} reached]\n`)])
  }

  /** The end of what was not shown, which is then forgotten. */
  takeTail(): Buffer {
    const tail = Buffer.concat(this.#tail).subarray(-TAIL_SIZE)
    this.#tail = []
    this.#tailSize = 0
    return tail
  }

  #allowed(seconds: number): { readonly allowed: number; readonly limit: string } {
    const { size, speed } = this.#limits
    const bySize = size < 0 ? Number.POSITIVE_INFINITY : size
    const bySpeed = speed < 0 ? Number.POSITIVE_INFINITY : speed * Math.max(1, Math.ceil(seconds))
    if (bySpeed < bySize) return { allowed: bySpeed, limit: `${binarySize(speed)}/s` }
    return { allowed: bySize, limit: binarySize(size) }
  }

  #keep(hidden: Buffer): void {
    this.#tail.push(hidden)
    this.#tailSize += hidden.length
    // Joined now and then, so that a stream of single bytes has no list of them.
    if (this.#tailSize < 2 * TAIL_SIZE && this.#tail.length < 1024) return
    this.#tail = [Buffer.from(Buffer.concat(this.#tail).subarray(-TAIL_SIZE))]
    this.#tailSize = this.#tail[0]?.length ?? 0
  }
}

/** `2MiB`, `200KiB`, `100B` */
export function binarySize(bytes: number): string {
  if (bytes % (1024 * 1024) === 0) return `${bytes / 1024 / 1024}MiB`
  return bytes % 1024 === 0 ? `${bytes / 1024}KiB` : `${bytes}B`
}
