import { existsSync } from 'node:fs'
import { missingNamespacesError } from '#builder/namespaces'
import {
  IN_PLACE_MARKER,
  type Isolation,
  type IsolationChoice,
  TsbuildError,
  unreachable,
} from '#core'
import { readSurroundings, whyNotInContainer } from './container.ts'
import { missingRightsError } from './needed-rights.ts'

/** How steps run. */
export interface ChosenIsolation {
  readonly value: Isolation
  /** Why they have no namespaces; absent where nothing else was tried. */
  readonly reason?: string
}

/**
 * Decides how steps run. By itself in place only where they can have no namespaces, in a container of an
 * image that is made for it.
 * @param wanted what the user asks for
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE where steps cannot run so
 */
export function chooseIsolation(wanted: IsolationChoice, env: NodeJS.ProcessEnv): ChosenIsolation {
  switch (wanted) {
    case 'namespaces':
    case 'strict':
      return { value: 'namespaces' }
    case 'in-place': {
      const obstacle = obstacleInPlace(env)
      if (obstacle !== undefined) throw obstacle
      return { value: 'in-place', reason: 'it was asked for' }
    }
    case 'auto': {
      const missing = missingNamespacesError()
      if (missing === undefined) return { value: 'namespaces' }
      if (!existsSync(IN_PLACE_MARKER)) throw missing
      const obstacle = obstacleInPlace(env)
      if (obstacle !== undefined) throw neitherError(missing, obstacle)
      return { value: 'in-place', reason: missing.message }
    }
    default:
      return unreachable(wanted)
  }
}

/** Whether `chooseIsolation` says so. Where it fails, a build without steps goes on. */
export function isInPlace(wanted: IsolationChoice, env: NodeJS.ProcessEnv): boolean {
  try {
    return chooseIsolation(wanted, env).value === 'in-place'
  } catch (cause) {
    if (cause instanceof TsbuildError) return false
    throw cause
  }
}

function obstacleInPlace(env: NodeJS.ProcessEnv): TsbuildError | undefined {
  const reason = whyNotInContainer(readSurroundings(env))
  return reason === undefined ? missingRightsError() : notInContainerError(reason)
}

function notInContainerError(reason: string): TsbuildError {
  return new TsbuildError(`cannot run steps in place: this is not a container, since ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'in place, the root file system is replaced by that of each stage: build in a container that is made for it, or leave --isolation=in-place out',
  })
}

/** In an image that is made for both. */
function neitherError(namespaces: TsbuildError, inPlace: TsbuildError): TsbuildError {
  return new TsbuildError(`${namespaces.message}; and ${inPlace.message}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: `let steps have namespaces: ${namespaces.hint}; or run in place: ${inPlace.hint}`,
    cause: namespaces,
  })
}
