import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, fchownSync, openSync, statSync } from 'node:fs'
import {
  assumeIdentity,
  closeDescriptorsOnExec,
  closeNamespaces,
  enterDirectory,
  enterNamespaces,
  getResourceLimit,
  joinNewKeyring,
  limitCapabilities,
  makePipe,
  type Namespaces,
  namespacesToReturnTo,
  type ResourceLimit,
  resumeRoot,
  setResourceLimit,
  setUmask,
  unshareWorkingDirectory,
} from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'
import type { LaunchRequest, WorkerSettings } from './messages.ts'
import { OPEN_FILES, STEP_CAPABILITIES, STEP_UMASK } from './profile.ts'
import { installSeccompFilter } from './seccomp.ts'

/** What a launching thread keeps between steps. */
export interface Launcher {
  readonly setnsKey: number
  readonly home: Namespaces
  readonly openFiles: ResourceLimit
  readonly core: ResourceLimit
}

/**
 * Takes from the calling thread, for good, all that a step must not have but the thread itself can
 * do without: every process that it starts has the step's capabilities and filter.
 */
export function becomeLauncher(settings: WorkerSettings): Launcher {
  unshareWorkingDirectory()
  const home = namespacesToReturnTo()
  setUmask(STEP_UMASK)
  joinNewKeyring()
  limitCapabilities(STEP_CAPABILITIES)
  installSeccompFilter(settings.setnsKey)
  return {
    setnsKey: settings.setnsKey,
    home,
    openFiles: getResourceLimit(0, 'openFiles'),
    core: getResourceLimit(0, 'core'),
  }
}

/** Releases what `becomeLauncher` opened. */
export function closeLauncher(launcher: Launcher): void {
  closeNamespaces(launcher.home)
}

export interface StepProcess {
  readonly child: ChildProcess
  /** Read ends of its output. */
  readonly stdout: number
  readonly stderr: number
}

/** Starts the step's process in its place. @throws {TsbuildError} STEP_FAILED when it cannot start */
export function launch(launcher: Launcher, request: LaunchRequest): StepProcess {
  const stdout = makePipe()
  const stderr = makePipe()
  let child: ChildProcess | undefined
  try {
    // A step that runs as a user may open /dev/stdout by name.
    fchownSync(stdout.writeEnd, request.user.uid, request.user.gid)
    fchownSync(stderr.writeEnd, request.user.uid, request.user.gid)
    child = inPlace(launcher, request, () =>
      spawnStep(launcher, request, [stdout.writeEnd, stderr.writeEnd]),
    )
    return { child, stdout: stdout.readEnd, stderr: stderr.readEnd }
  } finally {
    closeSync(stdout.writeEnd)
    closeSync(stderr.writeEnd)
    if (child === undefined) {
      closeSync(stdout.readEnd)
      closeSync(stderr.readEnd)
    }
  }
}

/** Does `action` inside the step's namespaces, as its user, in its working directory. */
function inPlace<T>(launcher: Launcher, request: LaunchRequest, action: () => T): T {
  enterNamespaces(request.namespaces, launcher.setnsKey)
  try {
    enterDirectory(request.cwd)
    assumeIdentity(request.user)
    try {
      return action()
    } finally {
      resumeRoot()
    }
  } finally {
    enterNamespaces(launcher.home, launcher.setnsKey)
  }
}

function spawnStep(
  launcher: Launcher,
  request: LaunchRequest,
  output: readonly [number, number],
): ChildProcess {
  const [name = '', ...args] = request.args
  const program = findProgram(name, request.env)
  const env = Object.fromEntries(request.env.map(splitVariable))
  closeDescriptorsOnExec()
  return withStepLimits(launcher, () => {
    const child = spawn(program, args, {
      argv0: name,
      env,
      stdio: ['ignore', ...output],
      detached: true,
    })
    if (child.pid === undefined) throw notExecutable(name, child)
    setResourceLimit(child.pid, 'core', { soft: 0n, hard: 0n })
    return child
  })
}

/**
 * Processes inherit the limits of the builder, and Node raises the number of open files as far as it
 * goes. Limits belong to the whole process, so they are lowered only for the moment of the fork, and
 * the number of files only when the builder itself is far below.
 */
function withStepLimits<T>(launcher: Launcher, action: () => T): T {
  const { openFiles, core } = launcher
  const lower = openFiles.soft > OPEN_FILES && lowestFreeDescriptor() < OPEN_FILES / 2n
  if (lower) setResourceLimit(0, 'openFiles', { ...openFiles, soft: OPEN_FILES })
  setResourceLimit(0, 'core', { ...core, soft: 0n })
  try {
    return action()
  } finally {
    setResourceLimit(0, 'core', core)
    if (lower) setResourceLimit(0, 'openFiles', openFiles)
  }
}

function lowestFreeDescriptor(): bigint {
  const descriptor = openSync('/dev/null', 'r')
  closeSync(descriptor)
  return BigInt(descriptor)
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

function notExecutable(name: string, child: ChildProcess): TsbuildError {
  child.on('error', () => {})
  let reason = 'no such file, or not executable'
  try {
    accessSync(name, constants.X_OK)
    reason = 'it is for another platform, or its interpreter is missing'
  } catch (cause) {
    if (errnoOf(cause) === 'EACCES') reason = 'permission denied'
    if (errnoOf(cause) === 'ENOENT') reason = 'no such file or directory'
  }
  return new TsbuildError(`exec ${name}: ${reason}`, {
    code: 'STEP_FAILED',
    hint: 'check that the image has the program, for this platform, with execute permission',
  })
}

function splitVariable(entry: string): readonly [string, string] {
  const equals = entry.indexOf('=')
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
}
