import { closeSync, constants, openSync } from 'node:fs'
import { lockFile } from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'

/** Of root, so that nobody else can keep it. */
const PATH = '/run/tsbuild-network.lock'

/** Milliseconds: a builder has it for a few. */
const PATIENCE = 10_000
const PAUSE = 5

/**
 * The right to change what the networks of all builders of this host share, until it is disposed of. The
 * kernel takes it from a builder that dies. Blocks the calling thread.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE when another builder keeps it
 */
export function lockHost(): Disposable {
  const file = openLock()
  if (file === undefined) return { [Symbol.dispose]: () => undefined }
  const clock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  for (const end = performance.now() + PATIENCE; !lockFile(file); ) {
    if (performance.now() > end) {
      closeSync(file)
      throw new TsbuildError(`another builder keeps ${PATH}`, { code: 'SANDBOX_UNAVAILABLE' })
    }
    Atomics.wait(clock, 0, 0, PAUSE)
  }
  return { [Symbol.dispose]: () => closeSync(file) }
}

/** A container with a read-only root has a network, and no builder beside this one. */
function openLock(): number | undefined {
  try {
    return openSync(PATH, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  } catch (cause) {
    if (errnoOf(cause) === 'EROFS') return undefined
    throw cause
  }
}
