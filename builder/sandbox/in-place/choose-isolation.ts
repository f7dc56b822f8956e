import { existsSync } from 'node:fs'
import { missingNamespacesError } from '#builder/namespaces'
import { type Isolation, TsbuildError } from '#core'
import { readSurroundings, whyNotInContainer } from './container.ts'
import { missingRightsError } from './needed-rights.ts'

/** A file of the image tsbuild: its containers are made for steps in place. */
const MARKER = '/tsbuild/in-place'

/**
 * Decides how steps run. By itself in place only where they can have no namespaces, in a container of an
 * image that is made for it.
 * @param wanted what the user asks for
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE where steps cannot run so
 */
export function chooseIsolation(wanted: Isolation | 'auto', env: NodeJS.ProcessEnv): Isolation {
  if (wanted === 'namespaces') return 'namespaces'
  if (wanted === 'auto') {
    const missing = missingNamespacesError()
    if (missing === undefined) return 'namespaces'
    if (!existsSync(MARKER)) throw missing
  }
  const reason = whyNotInContainer(readSurroundings(env))
  if (reason !== undefined) throw notInContainerError(reason)
  const missing = missingRightsError()
  if (missing !== undefined) throw missing
  return 'in-place'
}

function notInContainerError(reason: string): TsbuildError {
  return new TsbuildError(`cannot run steps in place: this is not a container, since ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'in place, the root file system is replaced by that of each stage: build in a container that is made for it, or leave --isolation=in-place out',
  })
}
