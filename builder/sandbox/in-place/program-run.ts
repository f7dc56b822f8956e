/** A program in the root of this process, with everything that it starts. It blocks the calling thread. */
import type { Buffer } from 'node:buffer'
import { closeSync, constants, openSync } from 'node:fs'
import {
  getResourceLimit,
  ownCapabilities,
  type ProcessEnd,
  SystemError,
  type WindowSize,
} from '#builder/linux'
import { hasNoNewPrivileges, processStatus } from '#builder/namespaces'
import { errnoOf, TsbuildError } from '#core'
import type { SharedChild } from '../children/shared-child.ts'
import type { Confinement } from '../filter/confinement.ts'
import { STEP_CAPABILITIES } from '../filter/profile.ts'
import { stepFilter } from '../filter/step-filter.ts'
import { StepIo, type StepPipes } from '../process/step-io.ts'
import { asUser, startError } from '../process/step-process.ts'
import { type StepTerminal, TerminalIo } from '../process/terminal-io.ts'
import { environmentOf } from '../root/assemble.ts'
import { findProgram, notExecutableError } from '../root/find-program.ts'
import type { StepUser } from '../root/step-user.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import { type SupervisedOptions, SupervisedProcess } from './processes/supervised-process.ts'

/** What is run. */
export interface ProgramInput extends Pick<ProcessSpec, 'args' | 'env' | 'ulimits' | 'security'> {
  readonly stdin: 'empty' | 'pipe'
  /** The size of the terminal that it has in the place of pipes; absent: none. */
  readonly terminal: WindowSize | undefined
}

/** Where it is run. Descriptors stay the caller's. */
export interface ProgramPlace {
  readonly root: number
  readonly user: StepUser
  /** Descriptor of a namespace; absent: the container's. */
  readonly network: number | undefined
  readonly cwd: { readonly descriptor: number; readonly path: string }
  /** Paths of files that go with the program. */
  readonly secrets: readonly string[]
}

/** A program that runs. Descriptors belong to the receiver. */
export interface StartedProgram extends SharedChild {
  readonly io: StepPipes | StepTerminal
}

/**
 * Runs a program until nothing is left of it.
 * @param onStart is called once it runs
 * @throws {TsbuildError} STEP_FAILED when it cannot be started
 */
export function runProgram(
  { args, env: given, ulimits, security, ...io }: ProgramInput,
  place: ProgramPlace,
  onStart: (started: StartedProgram) => void,
): ProcessEnd {
  const { root, user, cwd } = place
  const [name = ''] = args
  const env = environmentOf({ env: given }, user.home)
  if ([...args, ...env].some((text) => text.includes('\0'))) throw nulError(name)
  const path = asUser(user, () => findProgram(name, { root, cwdPath: cwd.path, env }))
  const program = {
    ...{ program: path, args, env, ulimits, hasTerminal: io.terminal !== undefined },
    openFiles: getResourceLimit(0, 'nofile'),
    confinement: { user, ...rightsFor(security) },
  }
  const { started, process } = start({ program, place, ...io })
  onStart(started)
  return process.wait()
}

interface StartInput extends Pick<ProgramInput, 'stdin' | 'terminal'> {
  readonly program: SupervisedOptions['program']
  readonly place: ProgramPlace
}

function start({ program, place, stdin, terminal }: StartInput): {
  readonly started: StartedProgram
  readonly process: SupervisedProcess
} {
  const { user, network, secrets } = place
  const source = openSource(terminal)
  const io = terminal === undefined ? new StepIo(source, stdin) : new TerminalIo(source, terminal)
  try {
    io.giveTo(user)
    const cwd = place.cwd.descriptor
    const process = new SupervisedProcess({ program, cwd, network, io, secrets })
    return { started: { ...process.child, io: io.ours }, process }
  } catch (cause) {
    io.closeOurs()
    if (!(cause instanceof SystemError)) throw cause
    throw startError(cause, { ...program, user })
  } finally {
    io.closeTheirs()
    closeSync(source)
  }
}

/** A filter takes no_new_privs, which set-uid programs would notice, unless the container has it already. */
function rightsFor(security: ProcessSpec['security']): Omit<Confinement, 'user'> {
  if (security === 'insecure') return { filter: undefined, capabilities: undefined }
  const canFilter = hasNoNewPrivileges(processStatus()) || (ownCapabilities() & SYS_ADMIN) !== 0n
  if (canFilter) filter ??= stepFilter()
  return { filter: canFilter ? filter : undefined, capabilities: STEP_CAPABILITIES }
}

/** Of this thread: making it takes a while. */
let filter: Buffer | undefined

const SYS_ADMIN = 1n << 21n

/** The container's own device that its input comes from. @throws {TsbuildError} SANDBOX_UNAVAILABLE */
function openSource(terminal: WindowSize | undefined): number {
  if (terminal === undefined) return openSync('/dev/null', constants.O_RDWR)
  try {
    return openSync('/dev/ptmx', constants.O_RDWR | constants.O_NOCTTY)
  } catch (cause) {
    throw new TsbuildError(`open a terminal: /dev/ptmx of this container: ${errnoOf(cause)}`, {
      code: 'SANDBOX_UNAVAILABLE',
      hint: 'do without a terminal, or start the container with a /dev/pts',
      cause,
    })
  }
}

function nulError(name: string): TsbuildError {
  const cause = new Error('arguments and environment cannot have a NUL character')
  return notExecutableError(name, cause)
}
