import { accessSync, closeSync, constants, fchownSync, readlinkSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import {
  assumeIdentity,
  closeDescriptorsOnExec,
  closeNamespaces,
  enterDirectory,
  enterNamespaces,
  getResourceLimit,
  type Identity,
  joinNewKeyring,
  limitCapabilities,
  makePipe,
  type Namespaces,
  namespacesToReturnTo,
  type ProcessEnd,
  type ResourceLimit,
  resumeRoot,
  setResourceLimit,
  setUmask,
  spawnProcess,
  unshareWorkingDirectory,
  waitForExit,
} from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'
import { limitThread, releaseThread } from './control-groups.ts'
import { killProcess } from './init-process.ts'
import type { LauncherSettings, LaunchRequest, Prepared } from './messages.ts'
import { OPEN_FILES, STEP_CAPABILITIES, STEP_PROCESSES, STEP_UMASK } from './profile.ts'
import { installSeccompFilter } from './seccomp.ts'

/** What a launching thread keeps between steps. */
export interface Launcher {
  readonly setnsKey: number
  readonly home: Namespaces
  readonly openFiles: ResourceLimit
  readonly core: ResourceLimit
  /** As the kernel numbers it. */
  readonly thread: number
  /** The control group that limits how many processes a step starts. */
  readonly group: string | undefined
}

/**
 * Takes from the calling thread, for good, all that a step must not have but the thread itself can
 * do without: every process that it starts has the step's capabilities and filter.
 */
export function becomeLauncher(settings: LauncherSettings): Launcher {
  unshareWorkingDirectory()
  const home = namespacesToReturnTo()
  setUmask(STEP_UMASK)
  joinNewKeyring()
  const thread = Number(basename(readlinkSync('/proc/thread-self')))
  const group = limitThread(thread, STEP_PROCESSES)
  if (settings.security !== 'insecure') {
    limitCapabilities(STEP_CAPABILITIES)
    installSeccompFilter(settings.setnsKey)
  }
  return {
    setnsKey: settings.setnsKey,
    home,
    openFiles: getResourceLimit(0, 'nofile'),
    core: getResourceLimit(0, 'core'),
    thread,
    group,
  }
}

/** Releases what `becomeLauncher` opened. */
export function closeLauncher(launcher: Launcher): void {
  closeNamespaces(launcher.home)
  if (launcher.group !== undefined) releaseThread(launcher.thread, launcher.group)
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
  const stdout = makePipe()
  const stderr = makePipe()
  const started: number[] = []
  try {
    closeDescriptorsOnExec()
    giveOutput(request.place.user, [stdout.writeEnd, stderr.writeEnd])
    inPlace(launcher, request.place, () => {
      const output = { stdout: stdout.writeEnd, stderr: stderr.writeEnd }
      started.push(spawnStep(launcher, request, output))
    })
  } catch (cause) {
    closeSync(stdout.readEnd)
    closeSync(stderr.readEnd)
    started.forEach(killAndWait)
    throw cause
  } finally {
    closeSync(stdout.writeEnd)
    closeSync(stderr.writeEnd)
  }
  onStart({ stdout: stdout.readEnd, stderr: stderr.readEnd })
  const [pid = 0] = started
  return waitForExit(pid)
}

/** A step that runs as a user may open /dev/stdout by name. */
function giveOutput(user: Identity, descriptors: readonly number[]): void {
  try {
    for (const descriptor of descriptors) fchownSync(descriptor, user.uid, user.gid)
  } catch (cause) {
    if (errnoOf(cause) !== 'EINVAL') throw cause
    throw new TsbuildError(`run as ${user.uid}:${user.gid}: this user namespace lacks these ids`, {
      code: 'STEP_FAILED',
      hint: 'install newuidmap (package uidmap) and give your user 65536 ids in /etc/subuid and /etc/subgid',
      cause,
    })
  }
}

/** A process that nobody waits for would keep its namespace from ending. */
function killAndWait(pid: number): void {
  killProcess(pid)
  waitForExit(pid)
}

/** Does `action` inside the step's namespaces, as its user, in its working directory. */
function inPlace(launcher: Launcher, place: Prepared, action: () => void): void {
  try {
    enterNamespaces(place.namespaces, launcher.setnsKey)
    enterDirectory(place.cwd)
    assumeIdentity(place.user)
    try {
      action()
    } finally {
      resumeRoot()
    }
  } finally {
    enterNamespaces(launcher.home, launcher.setnsKey)
    closeNamespaces(place.namespaces)
    closeSync(place.cwd)
  }
}

function spawnStep(launcher: Launcher, request: LaunchRequest, output: StepOutput): number {
  const [name = ''] = request.args
  const { env } = request.place
  const program = findProgram(name, env)
  return withStepLimits(launcher, () => {
    try {
      const gate = request.gate === undefined ? undefined : `/proc/self/fd/${request.gate}`
      return spawnProcess({ program, args: request.args, env, gate, ...output })
    } catch (cause) {
      throw notExecutable(name, cause)
    }
  })
}

/**
 * Processes inherit the limits of the builder, and Node raises the number of open files as far as it
 * goes. Limits belong to the whole process, so they are lowered only for the moment of the start, and
 * the number of files only when the builder itself is far below. A builder without the right to raise
 * its limit on core dumps again stays without dumps.
 */
function withStepLimits<T>(launcher: Launcher, action: () => T): T {
  const { openFiles, core } = launcher
  const lower = openFiles.soft > OPEN_FILES && lowestFreeDescriptor() < OPEN_FILES / 2n
  if (lower) setResourceLimit(0, 'nofile', { ...openFiles, soft: OPEN_FILES })
  setResourceLimit(0, 'core', { soft: 0n, hard: 0n })
  try {
    return action()
  } finally {
    restoreCoreLimit(core)
    if (lower) setResourceLimit(0, 'nofile', openFiles)
  }
}

function restoreCoreLimit(limit: ResourceLimit): void {
  try {
    setResourceLimit(0, 'core', limit)
  } catch (cause) {
    if (errnoOf(cause) !== 'EPERM') throw cause
  }
}

/** Of the builder. No file is opened: all there are belong to the step, and may be FIFOs. */
function lowestFreeDescriptor(): bigint {
  const { readEnd, writeEnd } = makePipe()
  closeSync(readEnd)
  closeSync(writeEnd)
  return BigInt(Math.min(readEnd, writeEnd))
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Looks a program up as execvp(3) does, with the step's own PATH, rights and root. */
function findProgram(name: string, env: readonly string[]): string {
  if (name.includes('/')) return name
  const path = env.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length)
  for (const directory of (path ?? DEFAULT_PATH).split(':')) {
    const candidate = `${directory || '.'}/${name}`
    if (isExecutable(candidate)) return candidate
  }
  throw new TsbuildError(`exec: ${JSON.stringify(name)}: executable file not found in $PATH`, {
    code: 'STEP_FAILED',
    hint: 'check the name, and that the base image has the program and a matching PATH',
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function notExecutable(name: string, cause: unknown): TsbuildError {
  const errno = errnoOf(cause)
  const reason = errno === undefined ? undefined : EXEC_ERRORS[errno]
  return new TsbuildError(`exec ${name}: ${reason ?? String(cause)}`, {
    code: 'STEP_FAILED',
    hint: 'check that the image has the program and its interpreter, for this platform, executable',
    cause,
  })
}

const EXEC_ERRORS: Readonly<Record<string, string>> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  ENOENT: 'no such file or directory',
  ENOEXEC: 'exec format error',
  ENOTDIR: 'not a directory',
}
