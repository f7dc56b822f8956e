import { Buffer } from 'node:buffer'
import { closeSync, readSync, writeSync } from 'node:fs'
import { closeDescriptorsOnExec, makePipe, spawnProcess, waitForExit } from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'

/** Pid 1 of a step's pid namespace. */
export interface InitProcess {
  /** The child of this process that ends with it: itself, or the program that started it. */
  readonly child: number
  /** Closing it ends pid 1, and the kernel then kills all others in the namespace. */
  readonly control: number
  /** Says when /proc is mounted. */
  readonly ready: number
}

/**
 * Mounts the namespace's /proc, which only a process inside can. `/proc/self` is still the host's when
 * it tells its pid.
 */
const MOUNT_PROC = [
  '"$1" -n -t proc -o nosuid,noexec,nodev proc "$2"',
  'cd -P /proc/self',
  'echo "ready $PWD"',
  'cd /',
].join(' && ')

/**
 * Then it waits for the end of its input, which comes when the builder closes the pipe or dies, and
 * needs no file of the host any more, because those get out of reach. It should ignore SIGCHLD: the
 * kernel then releases orphans, for which scripts that stop a service wait. A shell cannot do that,
 * so it becomes another program, which shows that it has been loaded by copying a line.
 */
const WAIT_AND_REAP = 'exec env --ignore-signal=CHLD cat'
const WAIT = 'while read -r line; do echo "$line"; done'

/** True when the host has an `env` that can start programs with a signal ignored (coreutils 8.31). */
export function canReapOrphans(): boolean {
  const child = spawnProcess({
    program: '/bin/sh',
    args: ['sh', '-c', 'exec env --ignore-signal=CHLD true'],
    env: [],
  })
  return waitForExit(child).exitCode === 0
}

export interface InitOptions {
  /** The host's program `mount`. */
  readonly mountProgram: string
  /** Where to mount /proc: an existing directory in the thread's working directory. */
  readonly proc: string
  /** Program and arguments that start the shell in a new pid namespace; empty: the thread does. */
  readonly starter: readonly string[]
  /** Whether `canReapOrphans`. */
  readonly reap: boolean
}

/**
 * Starts pid 1 from the calling thread, with nothing of the builder: no environment, no descriptors
 * but two pipes.
 */
export function startInit(options: InitOptions): InitProcess {
  const control = makePipe()
  const ready = makePipe()
  try {
    closeDescriptorsOnExec()
    const script = `${MOUNT_PROC} && ${options.reap ? WAIT_AND_REAP : WAIT}`
    const shell = ['/bin/sh', '-c', script, 'init', options.mountProgram, options.proc]
    const child = spawnProcess({
      program: options.starter[0] ?? '/bin/sh',
      args: [...options.starter, ...shell],
      env: [],
      stdin: control.readEnd,
      stdout: ready.writeEnd,
      stderr: ready.writeEnd,
    })
    return { child, control: control.writeEnd, ready: ready.readEnd }
  } catch (cause) {
    closeSync(control.writeEnd)
    closeSync(ready.readEnd)
    throw notStarted(cause instanceof Error ? cause.message : String(cause))
  } finally {
    closeSync(control.readEnd)
    closeSync(ready.writeEnd)
  }
}

/**
 * Waits until pid 1 has mounted /proc.
 * @returns its pid on the host
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE with what it said instead
 */
export function waitForProc(init: InitProcess): number {
  const text = readLine(init)
  const pid = /^ready \/proc\/(\d+)$/.exec(text)?.[1]
  if (pid === undefined) throw notStarted(text)
  return Number(pid)
}

/** Waits until pid 1 needs no file of the host any more. */
export function waitForInit(init: InitProcess): void {
  writeSync(init.control, 'loaded\n')
  const text = readLine(init)
  if (text !== 'loaded') throw notStarted(text)
}

/** A line, or all that it said before it ended. */
function readLine(init: InitProcess): string {
  const bytes = Buffer.alloc(4096)
  let length = 0
  for (;;) {
    const count = readSync(init.ready, bytes, length, bytes.length - length, null)
    length += count
    const text = bytes.toString('utf8', 0, length)
    if (count === 0 || length === bytes.length || text.endsWith('\n')) return text.trim()
  }
}

/** Kills a process that may have ended by itself; as pid 1 it takes its whole namespace along. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (cause) {
    if (errnoOf(cause) !== 'ESRCH') throw cause
  }
}

/** Ends pid 1. When this returns, its namespace is empty and the mounts in it are gone. */
export function endInit(init: Pick<InitProcess, 'child' | 'control'>): void {
  closeSync(init.control)
  waitForExit(init.child)
}

function notStarted(output: string): TsbuildError {
  return new TsbuildError(`start pid 1 of a step: ${output || 'it ended at once'}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'steps need /bin/sh and mount on the host, and a kernel that lets them mount /proc',
  })
}
