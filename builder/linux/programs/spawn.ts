/**
 * Starting and awaiting processes without Node's child_process. That one forks, which copies the
 * page tables of the whole builder: tens of milliseconds when it holds hundreds of megabytes. The C
 * library's posix_spawn shares the memory until the new program runs: 0.1 ms.
 */
import { Buffer } from 'node:buffer'
import { constants as files } from 'node:fs'
import { constants } from 'node:os'
import { openLibrary, SystemError, syscall, trySyscall } from '../system/syscalls.ts'

const SET_SIGNAL_DEFAULTS = 0x04
const SET_SIGNAL_MASK = 0x08
const SET_SESSION = 0x80

/** Larger than these structures of any C library. */
const OPAQUE_SIZE = 1024

/** A program to start, and the descriptors that it gets. */
export interface SpawnOptions {
  /** A path; it is not looked up. */
  readonly program: string
  /** With the name of the program first. */
  readonly args: readonly string[]
  /** `KEY=value`, complete. */
  readonly env: readonly string[]
  /** A descriptor for standard input; absent: /dev/null, as the new process sees it. */
  readonly stdin?: number
  /** Absent: /dev/null. */
  readonly stdout?: number
  readonly stderr?: number
  /** More descriptors for it to have, under the same numbers. */
  readonly inherit?: readonly number[]
  /** More, each under another number. No `to` may be a `from` of a later one. */
  readonly moved?: readonly (readonly [from: number, to: number])[]
}

/**
 * Starts a program from the calling thread: with its namespaces, identity and working directory, in
 * a new session, all signals as by default. Only descriptors that close on exec stay behind.
 * @returns the pid; `waitForExit` must be called for it
 * @throws {SystemError} of execve(2), when the program cannot be started
 */
export function spawnProcess(options: SpawnOptions): number {
  const { program, args, env } = options
  library ??= loadSpawn()
  const actions = Buffer.alloc(OPAQUE_SIZE)
  library.prepare(actions, options)
  try {
    const pid = Buffer.alloc(4)
    const argv = [...args.map(checked), null]
    const envp = [...env.map(checked), null]
    const errno = library.spawn(pid, checked(program), actions, library.attributes, argv, envp)
    if (errno !== 0) throw new SystemError(Number(errno), 'exec', program)
    return pid.readInt32LE(0)
  } finally {
    library.release(actions)
  }
}

/** How a process ended. */
export interface ProcessEnd {
  /** 128 + the number of the signal, when one ended it. */
  readonly exitCode: number
  readonly signal: NodeJS.Signals | undefined
  /** Of the process and those of its children that it has waited for. */
  readonly used: ProcessUsage
}

/**
 * What ended processes have used. The memory of this process counts for one that `spawnProcess` has started:
 * they share it until its program runs. Spec: getrusage(2)
 */
export interface ProcessUsage {
  /** Milliseconds. */
  readonly processor: number
  /** Bytes that the largest of them had in memory at its peak. */
  readonly largestProcess: number
}

/** Blocks the calling thread until the process has ended, and releases it. */
export function waitForExit(pid: number): ProcessEnd {
  const status = Buffer.alloc(STATUS_SIZE)
  const usage = Buffer.alloc(USAGE_SIZE)
  const args = [pid, status, 0, usage]
  for (;;) {
    const result = trySyscall('wait4', args)
    if (result === pid) break
    if (result !== -constants.errno.EINTR) syscall('wait4', args, `${pid}`)
  }
  return endOf(status, usage)
}

const STATUS_SIZE = 4

/** Spec: wait(2) */
function endOf(status: Buffer, usage: Buffer): ProcessEnd {
  const code = status.readInt32LE(0)
  const number = code & 0x7f
  const used = usageIn(usage)
  return number === 0 ? exitedWith((code >> 8) & 0xff, used) : endedBy(number, used)
}

function exitedWith(exitCode: number, used: ProcessUsage): ProcessEnd {
  return { exitCode, signal: undefined, used }
}

function endedBy(number: number, used: ProcessUsage): ProcessEnd {
  return { exitCode: 128 + number, signal: SIGNALS.get(number), used }
}

/** Bytes of a `struct rusage`. */
export const USAGE_SIZE = 144

/** Two times, each in seconds and microseconds; then KiB. */
function usageIn(usage: Buffer): ProcessUsage {
  const [user, userRest, system, systemRest, kibibytes] = [0, 8, 16, 24, 32].map((offset) =>
    Number(usage.readBigInt64LE(offset)),
  ) as [number, number, number, number, number]
  const processor = (user + system) * 1000 + (userRest + systemRest) / 1000
  return { processor, largestProcess: kibibytes * 1024 }
}

/** Bytes of a `siginfo_t`, as waitid(2) fills it in. */
export const SIGNAL_INFO_SIZE = 128
const CLD_EXITED = 1

/** The same of what waitid(2) has told another process: a `siginfo_t`, and a `struct rusage` after it. */
export function processEndOf(info: Buffer): ProcessEnd {
  const status = info.readInt32LE(24)
  const used = usageIn(info.subarray(SIGNAL_INFO_SIZE))
  return info.readInt32LE(8) === CLD_EXITED ? exitedWith(status, used) : endedBy(status, used)
}

/** How the process has ended, if it has; it is released then, and must not be asked for again. */
export function findExit(pid: number): ProcessEnd | undefined {
  const status = Buffer.alloc(STATUS_SIZE)
  const usage = Buffer.alloc(USAGE_SIZE)
  const args = [pid, status, WNOHANG, usage]
  const result = trySyscall('wait4', args)
  if (result < 0) syscall('wait4', args, `${pid}`)
  return result === pid ? endOf(status, usage) : undefined
}

/** Whether the process has ended; its pid stays taken until `waitForExit`. @throws {SystemError} ECHILD */
export function hasEnded(pid: number): boolean {
  const info = Buffer.alloc(SIGNAL_INFO_SIZE)
  syscall('waitid', [P_PID, pid, info, WEXITED | WNOWAIT | WNOHANG, undefined], `${pid}`)
  // The number of the signal that says so: 0 while it runs.
  return info.readInt32LE(0) !== 0
}

/** Blocks the calling thread until the process has ended; its pid stays taken until `waitForExit`. */
export function awaitEnd(pid: number): void {
  const info = Buffer.alloc(SIGNAL_INFO_SIZE)
  const args = [P_PID, pid, info, WEXITED | WNOWAIT, undefined]
  while (trySyscall('waitid', args) === -constants.errno.EINTR);
}

const WNOHANG = 1
const P_PID = 1
const WEXITED = 4
const WNOWAIT = 0x1000000

const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
)

interface SpawnLibrary {
  readonly spawn: (...args: readonly unknown[]) => unknown
  /** Of all processes. */
  readonly attributes: Buffer
  readonly prepare: (actions: Buffer, options: SpawnOptions) => void
  readonly release: (actions: Buffer) => void
}

let library: SpawnLibrary | undefined

function loadSpawn(): SpawnLibrary {
  const c = openLibrary(null)
  if (c === undefined) throw new SystemError(constants.errno.ENOSYS, 'posix_spawn', 'C library')
  const declare = (name: string, parameters: string): ((...args: readonly unknown[]) => void) => {
    const call = c.func(`int ${name}(${parameters})`)
    return (...args) => {
      const errno = Number(call(...args))
      if (errno !== 0) throw new SystemError(errno, name, undefined)
    }
  }
  const initAttributes = declare('posix_spawnattr_init', 'void *attributes')
  const setFlags = declare('posix_spawnattr_setflags', 'void *attributes, short flags')
  const setDefaults = declare('posix_spawnattr_setsigdefault', 'void *attributes, void *set')
  const setMask = declare('posix_spawnattr_setsigmask', 'void *attributes, void *set')
  const initActions = declare('posix_spawn_file_actions_init', 'void *actions')
  const addDup = declare('posix_spawn_file_actions_adddup2', 'void *actions, int from, int to')
  const addOpen = declare(
    'posix_spawn_file_actions_addopen',
    'void *actions, int fd, const char *path, int flags, unsigned int mode',
  )
  const noSignals = Buffer.alloc(OPAQUE_SIZE)
  // Not sigfillset(3): that leaves out two that the C library keeps, and they would be ignored.
  const allSignals = Buffer.alloc(OPAQUE_SIZE, 0xff)
  const freeActions = declare('posix_spawn_file_actions_destroy', 'void *actions')
  const attributes = Buffer.alloc(OPAQUE_SIZE)
  initAttributes(attributes)
  setFlags(attributes, SET_SIGNAL_DEFAULTS | SET_SIGNAL_MASK | SET_SESSION)
  setDefaults(attributes, allSignals)
  setMask(attributes, noSignals)
  return {
    attributes,
    spawn: c.func(
      'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
    ),
    prepare: (actions, options) => {
      initActions(actions)
      const standard = [options.stdin, options.stdout, options.stderr]
      standard.forEach((descriptor, number) => {
        if (descriptor === undefined) addOpen(actions, number, '/dev/null', files.O_RDWR, 0)
        else addDup(actions, descriptor, number)
      })
      // Onto itself: it stays open.
      for (const descriptor of options.inherit ?? []) addDup(actions, descriptor, descriptor)
      for (const [from, to] of options.moved ?? []) addDup(actions, from, to)
    },
    release: (actions) => freeActions(actions),
  }
}

/** The kernel would take what stands before a NUL and drop the rest. */
function checked(text: string): string {
  if (!text.includes('\0')) return text
  throw new SystemError(constants.errno.EINVAL, 'exec', 'text with a NUL character')
}
