import { closeSync, openSync } from 'node:fs'
import {
  assumeIdentity,
  awaitReadable,
  failureOf,
  type Identity,
  makePipe,
  type Pipe,
  type ProgramCall,
  readReports,
  resumeRoot,
  SystemError,
  type WindowSize,
  waitForExit,
} from '#builder/linux'
import { checkpoint, errnoOf, TsbuildError, type Ulimit } from '#core'
import { killAndWait } from '../children/shared-child.ts'
import { type CgroupDir, entranceOf } from '../limits/cgroup-dir.ts'
import { findProgram, notExecutableError } from '../root/find-program.ts'
import type { Gate } from './first-process.ts'
import { passGate } from './gate-process.ts'
import { tellInit } from './init-process.ts'
import type { Launcher, LaunchGroup } from './launcher.ts'
import type { MadeRoot } from './made-root.ts'
import type { PreparedStep } from './prepared-step.ts'
import { startProgram } from './start-program.ts'
import { StepIo, type StepPipes, unmappedUserError } from './step-io.ts'
import {
  enteringCalls,
  inherited,
  passedCalls,
  type StepEntry,
  type StepGroup,
  type StepProgram,
} from './step-program.ts'
import { type StepTerminal, TerminalIo } from './terminal-io.ts'

/** What is started in a prepared step. */
export interface LaunchInput {
  readonly step: PreparedStep
  readonly args: readonly string[]
  readonly ulimits: readonly Ulimit[]
  readonly stdin: 'empty' | 'pipe'
  /** The size of the terminal that it has in the place of pipes; absent: none. */
  readonly terminal: WindowSize | undefined
  readonly group: LaunchGroup
}

/** The descriptors that a program gets. */
export type Io = Pick<StepIo | TerminalIo, 'theirs'>

/** A process that has been started. Its descriptors, and releasing its pid, are the receiver's. */
export interface Launched {
  readonly io: StepPipes | StepTerminal
  /** As the host numbers it: of a child, or of the first process itself. */
  readonly pid: number
  /** Where it runs, if that was made with its start. The descriptors are the receiver's. */
  readonly made?: MadeRoot
}

/**
 * Starts the program of a prepared step.
 * @returns when the program runs
 * @throws {TsbuildError} STEP_FAILED when it cannot be started; then nothing is left of it
 */
export function startStep(launcher: Launcher, input: LaunchInput): Launched {
  const { gate } = input.step.first
  if (gate === undefined) {
    const launched = startBeside(launcher, input)
    if (input.step.first.forwards === true) tellInit(input.step.first, launched.pid)
    return launched
  }
  // A pid 1 that waits is in its groups already.
  return startProgramOf(input, launcher, (program, io) => ({ pid: passIn(program, gate, io) }))
}

/** Starts a program beside pid 1. @throws as `startStep` does */
export function startBeside(launcher: Launcher, input: LaunchInput): Launched {
  const groups = launcher.joinShared(input.group)
  return startProgramOf(input, launcher, (program, io) => ({
    pid: enterOrMove(program, groups, io),
  }))
}

/**
 * Looks the program of a step up, and makes its pipes or its terminal.
 * @param begin starts it, and returns its pid once it runs
 */
export function startProgramOf(
  input: LaunchInput,
  { openFiles }: Pick<Launcher, 'openFiles'>,
  begin: (program: StepProgram, io: Io) => Pick<Launched, 'pid' | 'made'>,
): Launched {
  const { step, args, ulimits } = input
  const io = openIo(input)
  try {
    io.giveTo(step.root.user)
    const hasTerminal = input.terminal !== undefined
    const program = { step, program: lookUp(input), args, ulimits, openFiles, hasTerminal }
    return { ...begin(program, io), io: io.ours }
  } catch (cause) {
    io.closeOurs()
    throw cause
  } finally {
    io.closeTheirs()
  }
}

function openIo({ step, stdin, terminal }: LaunchInput): StepIo | TerminalIo {
  if (terminal === undefined) return new StepIo(step.root.input, stdin)
  if (step.root.ptmx === undefined) throw new Error('the root was assembled without a terminal')
  return new TerminalIo(step.root.ptmx, terminal)
}

/** @returns where the program is */
function lookUp({ step, args }: LaunchInput): string {
  const [name = ''] = args
  if ([...args, ...step.root.env].some((text) => text.includes('\0'))) {
    // The kernel would take what stands before it and drop the rest.
    throw notExecutableError(
      name,
      new Error('arguments and environment cannot have a NUL character'),
    )
  }
  return asUser(step.root.user, () => findProgram(name, step.root))
}

/** @returns the pid of the step's process, which runs its program */
function enterOrMove(program: StepProgram, cgroups: readonly CgroupDir[], io: Io): number {
  const started = enter(program, cgroups, io)
  if (started !== undefined) return started
  canCloneIntoGroup = false
  return enterOrMove(program, cgroups, io)
}

/** False once the kernel was found to lack it. */
let canCloneIntoGroup = true

/** How kernels and filters of system calls say that they lack it. */
const LACKING: ReadonlySet<string> = new Set(['ENOSYS', 'EINVAL', 'E2BIG', 'EPERM'])

/** What the kernel says of a new process in a pid namespace whose pid 1 has ended. */
const NAMESPACE_ENDED = 'ENOMEM'

/** Starts a process beside an init. @returns `undefined` when the kernel cannot start one in a group */
function enter(program: StepProgram, cgroups: readonly CgroupDir[], io: Io): number | undefined {
  const group = openGroup(cgroups)
  const report = makePipe()
  try {
    const entrances = cgroups.filter(({ version }) => version === 1).map(entranceOf)
    const entry: StepEntry = { group, entrances, report: report.writeEnd }
    const calls = enteringCalls(program, entry)
    enterWith(program, calls, { entry, report, io })
    const { pid, failure } = outcomeOf(patientReports(report.readEnd), calls)
    if (isLackOfClone(failure)) return undefined
    if (pid !== undefined && failure === undefined) return pid
    if (pid !== undefined) killAndWait(pid)
    throw startError(failure, { ...program, user: program.step.root.user })
  } finally {
    closeSync(report.readEnd)
    if (group !== undefined) closeSync(group.descriptor)
  }
}

function isLackOfClone(failure: Error | undefined): boolean {
  return failure instanceof SystemError && failure.syscall === 'clone3' && LACKING.has(failure.code)
}

/** Milliseconds that a program has to start in: processes of the step can stop it, or hold its file. */
const PATIENCE = 10_000
const PAUSE = 50

/** @throws {TsbuildError} STEP_FAILED when they take too long, CANCELLED */
function* patientReports(descriptor: number): ReturnType<typeof readReports> {
  const reports = readReports(descriptor)
  const deadline = performance.now() + PATIENCE
  for (;;) {
    while (!awaitReadable(descriptor, PAUSE)) {
      checkpoint()
      if (performance.now() < deadline) continue
      throw new TsbuildError('the step keeps the program from being started', {
        code: 'STEP_FAILED',
        hint: 'its processes may stop others of their user, and hold leases on files',
      })
    }
    const { value, done } = reports.next()
    if (done === true) return
    yield value
  }
}

interface EnterOptions {
  readonly entry: StepEntry
  readonly report: Pipe
  readonly io: Io
}

/** Starts the calls; their reports end when the step's program starts, or with the failure to. */
function enterWith(
  program: StepProgram,
  calls: readonly ProgramCall[],
  { entry, report, io }: EnterOptions,
): void {
  const { stdin, stdout, stderr } = io.theirs
  try {
    const starter = startProgram(calls, {
      name: 'step',
      report: entry.report,
      standard: [stdin, stdout, stderr],
      inherit: inherited(program, entry),
    })
    waitForExit(starter)
  } finally {
    closeSync(report.writeEnd)
  }
}

/** Lets a pid 1 that waits become the program. @returns its pid */
function passIn(program: StepProgram, { entrance }: Gate, io: Io): number {
  const calls = passedCalls(program)
  const report = makePipe()
  try {
    const pass = { ...io.theirs, report: report.writeEnd, cwd: program.step.root.cwd }
    try {
      passGate(entrance, calls, pass)
    } catch (cause) {
      // It was killed before.
      if (errnoOf(cause) !== 'EPIPE') throw cause
    } finally {
      closeSync(report.writeEnd)
    }
    const { failure } = outcomeOf(readReports(report.readEnd), calls)
    if (failure !== undefined)
      throw startError(failure, { ...program, user: program.step.root.user })
    return program.step.first.pid
  } finally {
    closeSync(report.readEnd)
  }
}

/** What a program of system calls has reported. */
export interface Outcome {
  readonly pid: number | undefined
  /** A `SystemError` of a call, or why the reports were not waited for. */
  readonly failure: Error | undefined
}

/** What the calls that start a program have come to: the reports end when it runs, or with a failure. */
export function outcomeOf(
  reports: ReturnType<typeof readReports>,
  calls: readonly ProgramCall[],
): Outcome {
  let pid: number | undefined
  let failure: Error | undefined
  try {
    for (const report of reports) {
      if (report.result < 0) failure = failureOf(report, calls)
      // The first is of the process that forks.
      else if (calls[report.index]?.forks !== undefined) pid ??= report.result
    }
  } catch (cause) {
    failure = cause instanceof Error ? cause : new Error(String(cause))
  }
  return { pid, failure }
}

/** The group of the second version, if there is one. */
function openGroup(directories: readonly CgroupDir[]): StepGroup | undefined {
  const directory = directories.find(({ version }) => version === 2)
  if (directory === undefined) return undefined
  return canCloneIntoGroup
    ? { descriptor: openSync(directory.path, 'r'), by: 'clone' }
    : { descriptor: openSync(entranceOf(directory), 'w'), by: 'move' }
}

/** Does `action` with the rights of the step's user, on this thread. */
export function asUser<T>(user: Identity, action: () => T): T {
  try {
    assumeIdentity(user)
    return action()
  } finally {
    resumeRoot()
  }
}

/** What the failure of one of the calls means to the author of the step. */
export function startError(
  failure: Error | undefined,
  { args, ulimits, user }: Pick<StepProgram, 'args' | 'ulimits'> & { readonly user: Identity },
): Error {
  if (!(failure instanceof SystemError)) {
    return failure ?? new Error('the step ended before its program was started')
  }
  switch (failure.syscall) {
    case 'execve':
      return notExecutableError(args[0] ?? '', failure)
    case 'clone':
    case 'clone3':
      if (failure.code === NAMESPACE_ENDED) return endedStepError(failure)
      if (failure.code === 'EAGAIN') return tooManyError(failure)
      break
    case 'prlimit64': {
      const limits = ulimits.map((limit) => `${limit.name} to ${limit.soft}:${limit.hard}`)
      return new TsbuildError(`limit ${limits.join(' and ')}: not permitted`, {
        code: 'PERMISSION_DENIED',
        hint: 'only root may raise a hard limit; choose a lower one',
        cause: failure,
      })
    }
    case 'setgroups':
    case 'setresgid':
    case 'setresuid':
      if (failure.code === 'EINVAL') return unmappedUserError(user, failure)
  }
  return failure
}

function tooManyError(cause: SystemError): TsbuildError {
  return new TsbuildError('no more processes may be started in the step', {
    code: 'STEP_FAILED',
    hint: 'end some, or give it more: --pids-limit',
    cause,
  })
}

/** The failure to start a process in the sandbox of a step that is over. */
export function endedStepError(cause?: unknown): TsbuildError {
  return new TsbuildError('the step has ended', { code: 'STEP_FAILED', cause })
}
