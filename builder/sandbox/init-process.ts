import { Buffer } from 'node:buffer'
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, readSync } from 'node:fs'
import { makePipe } from '#builder/linux'
import { TsbuildError } from '#core'

/** Pid 1 of a step's pid namespace. */
export interface InitProcess {
  readonly child: ChildProcess
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
  /** Where to mount /proc; an existing directory. */
  readonly proc: string
  /** What to start the shell with when the thread cannot make the pid namespace itself. */
  readonly prefix: readonly string[]
}

/**
 * Starts pid 1 from the calling thread, with nothing of the builder: no environment, no descriptors
 * but two pipes.
 */
export function startInit(options: InitOptions): InitProcess {
  const control = makePipe()
  const ready = makePipe()
  const command = [...options.prefix, '/bin/sh', '-c', SCRIPT]
  const args = [...command.slice(1), 'init', options.mountProgram, options.proc]
  const child = spawn(command[0] ?? '/bin/sh', args, {
    cwd: '/',
    env: {},
    stdio: [control.readEnd, ready.writeEnd, ready.writeEnd],
    detached: true,
  })
  // A failure to start shows as the end of the ready pipe.
  child.on('error', () => {})
  closeSync(control.readEnd)
  closeSync(ready.writeEnd)
  return { child, control: control.writeEnd, ready: ready.readEnd }
}

/**
 * Waits until pid 1 has mounted /proc.
 * @returns its pid on the host
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE with what it said instead
 */
export function waitForInit(init: InitProcess): number {
  const bytes = Buffer.alloc(4096)
  let length = 0
  try {
    for (;;) {
      const count = readSync(init.ready, bytes, length, bytes.length - length, null)
      length += count
      const text = bytes.toString('utf8', 0, length)
      const pid = /^ready \/proc\/(\d+)\n/.exec(text)?.[1]
      if (pid !== undefined) return Number(pid)
      if (count === 0 || length === bytes.length) throw notStarted(text.trim())
    }
  } finally {
    closeSync(init.ready)
  }
}

function notStarted(output: string): TsbuildError {
  return new TsbuildError(`start pid 1 of a step: ${output || 'it ended at once'}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'steps need /bin/sh and mount on the host, and a kernel that lets them mount /proc',
  })
}
