import { existsSync } from 'node:fs'
import type { Settings } from '#builder/options'
import { IN_PLACE_MARKER } from '#core'
import { reportWaits } from './reported-waits.ts'

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined }

/**
 * Takes the root of the container for a build whose steps run in place, before anything is read that
 * another build would remove. Other builds have nothing to wait for.
 * @throws {TsbuildError} CANCELLED
 */
export async function takeContainerRoot(settings: Settings): Promise<Disposable> {
  const { isolation, environment, signal, onEvent } = settings
  const isPossible =
    isolation === 'in-place' || (isolation === 'auto' && existsSync(IN_PLACE_MARKER))
  if (!isPossible) return NOTHING
  const { isInPlace, lockRoot } = await import('#builder/sandbox')
  if (!isInPlace(isolation, environment)) return NOTHING
  const onWait = reportWaits(onEvent, 'root')
  return await lockRoot({
    signal,
    onWait: (ended) => onWait({ reason: 'another build in this container', ended }),
  })
}
