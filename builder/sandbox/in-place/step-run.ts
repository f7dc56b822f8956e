/** One step in place, from its mounts to the last of its processes. It blocks the calling thread. */
import { chmodSync, closeSync, constants, openSync } from 'node:fs'
import {
  childPath,
  enterNamespaces,
  getResourceLimit,
  O_PATH,
  openNamespaces,
  ownCapabilities,
  type ProcessEnd,
  raiseLoopback,
  SystemError,
  unshareNamespaces,
} from '#builder/linux'
import { TsbuildError } from '#core'
import type { Confinement } from '../filter/confinement.ts'
import { STEP_CAPABILITIES } from '../filter/profile.ts'
import { stepFilter } from '../filter/step-filter.ts'
import { hasNoNewPrivileges, processStatus } from '../host/rights.ts'
import type { SharedChild } from '../process/shared-child.ts'
import { StepIo, type StepPipes } from '../process/step-io.ts'
import { asUser, startError } from '../process/step-process.ts'
import { environmentOf, openWorkingDirectory } from '../root/assemble.ts'
import { findProgram, notExecutableError } from '../root/find-program.ts'
import type { StepSocket } from '../root/step-mounts.ts'
import { imageFileReader, resolveUser, type StepUser } from '../root/step-user.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import { addHostLines } from './host-lines.ts'
import { isBelow } from './place.ts'
import { ShownMounts } from './shown-mounts.ts'
import { SupervisedProcess } from './supervised-process.ts'

/** What is run. */
export interface InPlaceInput {
  readonly spec: ProcessSpec
  readonly stdin: 'empty' | 'pipe'
}

/** A process that runs. Descriptors belong to the receiver. */
export interface InPlaceLaunched extends StepPipes, SharedChild {
  /** Connections to them can wait already. */
  readonly sockets: readonly StepSocket[]
}

/** What steps in place need of the build. */
export interface InPlaceSettings {
  /** An empty directory of this builder on the file system of the store. */
  readonly temporary: string
  /** Absolute paths that steps must leave to the builder. */
  readonly kept: readonly string[]
}

/**
 * Runs a step to its end.
 * @param onStart is called once the process runs
 * @returns when nothing is left of it and the root is as the step's own files make it
 * @throws {TsbuildError} STEP_FAILED when it cannot be started, SANDBOX_UNAVAILABLE when this container
 *   does not let it
 */
export function runInPlace(
  input: InPlaceInput,
  settings: InPlaceSettings,
  onStart: (launched: InPlaceLaunched) => void,
): ProcessEnd {
  const { spec } = input
  const [, ...mounts] = spec.mounts
  const root = openSync('/', O_PATH)
  const undo: (() => void)[] = [() => closeSync(root)]
  try {
    const user = resolveUser(spec.user, imageFileReader(root))
    const network = spec.network === 'none' ? makeEmptyNetwork() : undefined
    if (network !== undefined) undo.push(() => closeSync(network))
    undo.push(addHostLines(spec.extraHosts))
    const shown = new ShownMounts({ root, user, ...settings })
    undo.push(() => shown.takeBack())
    shown.show(mounts)
    const cwd = enterWorkingDirectory(root, spec.cwd, settings)
    undo.push(() => closeSync(cwd.descriptor))
    const place = { root, user, network, shown, cwd }
    return runProgram(input, place, onStart)
  } finally {
    undoAll(undo)
  }
}
