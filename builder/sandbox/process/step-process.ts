import { closeSync, fchownSync, openSync, writeFileSync } from 'node:fs'
import {
  assumeIdentity,
  closeDescriptorsOnExec,
  failureOf,
  getResourceLimit,
  type Identity,
  makeCallProgram,
  makePipe,
  type ProcessEnd,
  type ProgramCall,
  type ResourceLimit,
  readReports,
  resumeRoot,
  type SystemError,
  spawnProcess,
  threadId,
  unshareWorkingDirectory,
  waitForExit,
} from '#builder/linux'
import { errnoOf, MORE_IDS, TsbuildError, type Ulimit } from '#core'
import type { GroupPlace } from '../limits/control-groups.ts'
import { findProgram, notExecutable } from '../root/find-program.ts'
import type { LauncherSettings, LaunchRequest, Prepared } from '../threads/messages.ts'
import { killAndWait } from './init-process.ts'
import { inherited, type StepGroup, type StepProgram, stepCalls } from './step-program.ts'

/** What a launching thread keeps between steps. */
export interface Launcher {
  readonly openFiles: ResourceLimit
  /** As the kernel numbers it. */
  readonly thread: number
  /** The control groups that it is in, and so all that it starts. */
  readonly groups: readonly GroupPlace[]
}

/** Prepares the calling thread once for all steps that it will start. */
export function becomeLauncher(settings: LauncherSettings): Launcher {
  unshareWorkingDirectory()
  const thread = threadId()
  joinGroups(thread, settings.groups)
  return {
    openFiles: getResourceLimit(0, 'nofile'),
    thread,
    groups: settings.groups,
  }
}

/**
 * Puts the calling thread, and only it, into groups of the first version: what it starts is born there.
 * Groups of the second version take no single threads.
 */
function joinGroups(thread: number, places: readonly GroupPlace[]): void {
  for (const { version, path } of places) {
    if (version === 1) writeFileSync(`${path}/tasks`, `${thread}`)
  }
}

/** Read ends of what the step's process writes. */
export interface StepOutput {
  readonly stdout: number
  readonly stderr: number
}

/**
 * Runs the step's process in its place, until that process ends; others that it started may live on.
 * @param onStart is called once the process runs; who is told owns the descriptors
 * @throws {TsbuildError} STEP_FAILED when it cannot be started
 */
export function runInPlace(
  launcher: Launcher,
  request: LaunchRequest,
  onStart: (output: StepOutput) => void,
): ProcessEnd {
  const { thread, groups } = launcher
  const own = request.groups
  if (own === undefined) return startAndWait(launcher, request, onStart)
  try {
    joinGroups(thread, own)
    return startAndWait(launcher, request, onStart)
  } finally {
    joinGroups(
      thread,
      own.map((place) => ({ ...place, path: place.home })),
    )
    joinGroups(thread, groups)
  }
}

function startAndWait(
  launcher: Launcher,
  request: LaunchRequest,
  onStart: (output: StepOutput) => void,
): ProcessEnd {
  const stdout = makePipe()
  const stderr = makePipe()
  let pid: number
  try {
    giveOutput(request.place.user, [stdout.writeEnd, stderr.writeEnd])
    const output = { stdout: stdout.writeEnd, stderr: stderr.writeEnd }
    pid = startStep(launcher, request, output)
  } catch (cause) {
    closeSync(stdout.readEnd)
    closeSync(stderr.readEnd)
    throw cause
  } finally {
    closeSync(stdout.writeEnd)
    closeSync(stderr.writeEnd)
  }
  onStart({ stdout: stdout.readEnd, stderr: stderr.readEnd })
  return waitForExit(pid)
}

/** A step that runs as a user may open /dev/stdout by name. */
function giveOutput(user: Identity, descriptors: readonly number[]): void {
  try {
    for (const descriptor of descriptors) fchownSync(descriptor, user.uid, user.gid)
  } catch (cause) {
    throw errnoOf(cause) === 'EINVAL' ? unmappedUser(user, cause) : cause
  }
}

function unmappedUser(user: Identity, cause: unknown): TsbuildError {
  return new TsbuildError(`run as ${user.uid}:${user.gid}: this user namespace lacks these ids`, {
    code: 'STEP_FAILED',
    hint: MORE_IDS,
    cause,
  })
}

/** @returns the pid of the step's process, which runs its program */
function startStep(launcher: Launcher, request: LaunchRequest, output: StepOutput): number {
  const { place, args } = request
  const [name = ''] = args
  if ([...args, ...place.env].some((text) => text.includes('\0'))) {
    // The kernel would take what stands before it and drop the rest.
    throw notExecutable(name, new Error('arguments and environment cannot have a NUL character'))
  }
  const program = asUser(place.user, () => findProgram(name, place))
  const started = tryToStart(launcher, request, { program, output })
  if (started !== undefined) return started
  canBeBornInGroup = false
  return startStep(launcher, request, output)
}

/** False once the kernel was found to lack it. */
let canBeBornInGroup = true

interface Start {
  readonly program: string
  readonly output: StepOutput
}

/** @returns `undefined` when the kernel lets no process be born in a group */
function tryToStart(
  { openFiles, groups }: Launcher,
  request: LaunchRequest,
  { program, output }: Start,
): number | undefined {
  const { place, args, ulimits } = request
  const group = openGroup(request.groups ?? groups)
  const report = makePipe()
  try {
    const step: StepProgram = {
      ...{ place, program, args, ulimits, openFiles, group },
      report: report.writeEnd,
    }
    const calls = stepCalls(step)
    const { pid, failure } = outcomeOf(runStepProgram(step, calls, { output, report }), calls)
    if (failure?.syscall === 'clone3' && pid === undefined) return undefined
    if (pid !== undefined && failure === undefined) return pid
    if (pid !== undefined) killAndWait(pid)
    throw explain(failure, { name: args[0] ?? '', place, ulimits })
  } finally {
    closeSync(report.readEnd)
    if (group !== undefined) closeSync(group.descriptor)
  }
}

interface StartDescriptors {
  readonly output: StepOutput
  readonly report: { readonly readEnd: number; readonly writeEnd: number }
}

/** @returns all reports: the pipe ends when the step's program starts, or with the failure to */
function runStepProgram(
  step: StepProgram,
  calls: readonly ProgramCall[],
  { output, report }: StartDescriptors,
): ReturnType<typeof readReports> {
  const program = makeCallProgram(calls, { report: step.report })
  try {
    closeDescriptorsOnExec()
    const starter = spawnProcess({
      program: `/proc/self/fd/${program}`,
      args: ['step'],
      env: [],
      stdin: step.place.input,
      inherit: inherited(step),
      ...output,
    })
    waitForExit(starter)
    return readReports(report.readEnd)
  } finally {
    closeSync(report.writeEnd)
    closeSync(program)
  }
}

interface Outcome {
  readonly pid: number | undefined
  readonly failure: SystemError | undefined
}

function outcomeOf(
  reports: ReturnType<typeof readReports>,
  calls: readonly ProgramCall[],
): Outcome {
  let outcome: Outcome = { pid: undefined, failure: undefined }
  for (const report of reports) {
    if (report.result < 0) outcome = { ...outcome, failure: failureOf(report, calls) }
    else if (calls[report.index]?.forks === true) outcome = { ...outcome, pid: report.result }
  }
  return outcome
}

/** The group of the second version, if there is one. */
function openGroup(places: readonly GroupPlace[]): StepGroup | undefined {
  const place = places.find(({ version }) => version === 2)
  if (place === undefined) return undefined
  return canBeBornInGroup
    ? { descriptor: openSync(place.path, 'r'), by: 'birth' }
    : { descriptor: openSync(`${place.path}/cgroup.procs`, 'w'), by: 'move' }
}

/** Does `action` with the rights of the step's user, on this thread. */
function asUser<T>(user: Identity, action: () => T): T {
  try {
    assumeIdentity(user)
    return action()
  } finally {
    resumeRoot()
  }
}

interface FailureSubject {
  readonly name: string
  readonly place: Prepared
  readonly ulimits: readonly Ulimit[]
}

/** What the failure of one of the calls means to who wrote the step. */
function explain(failure: SystemError | undefined, subject: FailureSubject): Error {
  const { name, place, ulimits } = subject
  switch (failure?.syscall) {
    case 'execve':
      return notExecutable(name, failure)
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
      if (failure.code === 'EINVAL') return unmappedUser(place.user, failure)
  }
  return failure ?? new Error('the step ended before its program was started')
}
