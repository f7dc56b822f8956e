import { TsbuildError } from '#core'

/** An option that is wrong, found when a container is made. */
export function optionError(message: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE' })
}

/** A value that is wrong: docker finds it when a container is started. */
export function startError(reason: string): TsbuildError {
  return optionError(
    `failed to create task for container: failed to initialize logging driver: ${reason}`,
  )
}
