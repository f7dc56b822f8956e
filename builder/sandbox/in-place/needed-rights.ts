import { accessSync, constants } from 'node:fs'
import { ownCapabilities } from '#builder/linux'
import { TsbuildError } from '#core'

/** Without these the files of an image cannot be made as they are, or no step be started as its user. */
const NEEDED = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  FOWNER: 3,
  FSETID: 4,
  SETGID: 6,
  SETUID: 7,
} as const

/** Why this process cannot run steps in place, if it cannot. */
export function missingRightsError(own: bigint = ownCapabilities()): TsbuildError | undefined {
  if (process.geteuid?.() !== 0) {
    return rightsError(
      'this process is not root',
      'start the container as root (docker run --user 0, runAsUser: 0 of Kubernetes)',
    )
  }
  const missing = Object.entries(NEEDED).flatMap(([name, number]) => {
    return ((own >> BigInt(number)) & 1n) === 0n ? [name] : []
  })
  if (missing.length === 0) return isWritable('/') ? undefined : readonlyError()
  const what = missing.length === 1 ? 'capability' : 'capabilities'
  return rightsError(
    `this process lacks the ${what} ${missing.join(', ')}`,
    `leave the container the ${what} (docker run without --cap-drop, or with --cap-add; capabilities.add of Kubernetes)`,
  )
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function readonlyError(): TsbuildError {
  return rightsError(
    'the root file system of this container is read-only',
    'start the container with one that can be written to (docker run without --read-only, readOnlyRootFilesystem: false of Kubernetes)',
  )
}

function rightsError(reason: string, hint: string): TsbuildError {
  return new TsbuildError(`cannot run steps in place: ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: `${hint}; images without RUN need no rights`,
  })
}
