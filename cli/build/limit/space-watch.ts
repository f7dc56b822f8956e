import { freeBytes, isSurelyWithin } from '#cache'
import { errnoOf } from '#core'
import type { Shell } from '../../terminal/shell.ts'
import { limitsOf, type StoreLimit } from './limits.ts'

const INTERVAL = 5000
/** The store is looked at when so many bytes less are free than at the last look at it. */
const STEP = 64 * 1024 * 1024

/**
 * Keeps a store within its limits while a build runs, which may take hours: whenever the disk has become fuller by
 * some. What the build uses stays. Nothing is loaded, and nothing looked at, in a build of a few seconds.
 * @param interval milliseconds between looks at what is free
 */
export function watchSpace(
  limit: StoreLimit,
  shell: Shell,
  interval: number = INTERVAL,
): Disposable {
  let last: number | undefined
  let isBusy = false
  const look = async (): Promise<void> => {
    const free = freeAt(limit.root)
    last ??= free
    if (isBusy || free === undefined || last === undefined || free > last - STEP) return
    isBusy = true
    try {
      const limits = await limitsOf(limit, shell.env)
      if (limits === undefined || isSurelyWithin(limit.root, limits, 0)) return
      const { enforceLimits } = await import('./enforce-limit.ts')
      await enforceLimits(limit.root, limits, shell.signal)
    } catch {
      // It is tried again after the build, which tells.
    } finally {
      last = freeAt(limit.root)
      isBusy = false
    }
  }
  const timer = setInterval(() => void look(), interval)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** `undefined` where there is no store yet. */
function freeAt(root: string): number | undefined {
  try {
    return freeBytes(root)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}
