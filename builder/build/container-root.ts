import { existsSync } from 'node:fs'
import type { Settings } from '#builder/options'
import { IN_PLACE_MARKER } from '#core'
import { reportWaits } from './reported-waits.ts'

const NOTHING: Disposable = { [Symbol.dispose]: () => undefined }

/** Whether steps of a build run in place. Elsewhere than in a container that is known without a look. */
export async function areStepsInPlace({ isolation, environment }: Settings): Promise<boolean> {
  const isPossible =
    isolation === 'in-place' || (isolation === 'auto' && existsSync(IN_PLACE_MARKER))
  if (!isPossible) return false
  const { isInPlace } = await import('#builder/sandbox')
  return isInPlace(isolation, environment)
}

/**
 * Takes the root of the container for a build whose steps run in place, before anything is read that
 * another build would remove. Other builds have nothing to wait for.
 * @throws {TsbuildError} CANCELLED
 */
export async function takeContainerRoot(settings: Settings): Promise<Disposable> {
  const { signal, onEvent } = settings
  if (!(await areStepsInPlace(settings))) return NOTHING
  const { lockRoot } = await import('#builder/sandbox')
  const onWait = reportWaits(onEvent, 'root')
  return await lockRoot({
    signal,
    onWait: (ended) => onWait({ reason: 'another build in this container', ended }),
  })
}
