import { Buffer } from 'node:buffer'
import { closeSync, readSync } from 'node:fs'
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
 * Mounts the namespace's /proc, which only a process inside can, and then waits for the end of its
 * input: that comes when the builder closes the pipe or dies. From `read` on it needs no file of the
 * host, which is out of reach by then. `/proc/self` is still the host's when it tells its pid.
 */
const SCRIPT = [
  '"$1" -n -t proc -o nosuid,noexec,nodev proc "$2"',
  'cd -P /proc/self',
  'echo "ready $PWD"',
  'cd /',
  'read -r end',
].join(' && ')

export interface InitOptions {
  /** The host's program `mount`. */
  readonly mountProgram: string
  /** Where to mount /proc: an existing directory in the thread's working directory. */
  readonly proc: string
  /** Program and arguments that start the shell in a new pid namespace; empty: the thread does. */
  readonly starter: readonly string[]
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
    const shell = ['/bin/sh', '-c', SCRIPT, 'init', options.mountProgram, options.proc]
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
export function waitForInit(init: InitProcess): number {
  const bytes = Buffer.alloc(4096)
  let length = 0
  for (;;) {
    const count = readSync(init.ready, bytes, length, bytes.length - length, null)
    length += count
    const text = bytes.toString('utf8', 0, length)
    const pid = /^ready \/proc\/(\d+)\n/.exec(text)?.[1]
    if (pid !== undefined) return Number(pid)
    if (count === 0 || length === bytes.length) throw notStarted(text.trim())
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
