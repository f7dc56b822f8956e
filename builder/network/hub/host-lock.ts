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

/**
 * Where there is no such place, as in a container with a read-only root or next to nothing in it, the file of the network
 * namespace itself: all of its users are in that container.
 */
function openLock(): number {
  try {
    return openSync(PATH, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  } catch (cause) {
    if (!NO_PLACE.has(errnoOf(cause) ?? '')) throw cause
    return openSync('/proc/thread-self/ns/net', 'r')
  }
}

const NO_PLACE: ReadonlySet<string> = new Set(['EROFS', 'ENOENT'])
