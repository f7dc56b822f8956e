/**
 * The system calls that Node's `fs` and `child_process` lack. They are made raw, through libc's
 * `syscall`, because libc's own wrappers for credentials act on every thread of the process while a
 * sandbox worker must change only itself.
 */
import { Buffer } from 'node:buffer'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import { errnoOf, programLoader, TsbuildError } from '#core'

const NUMBERS = {
  x64: {
    bind: 49,
    bpf: 321,
    capget: 125,
    capset: 126,
    chdir: 80,
    chroot: 161,
    clone: 56,
    clone3: 435,
    close: 3,
    close_range: 436,
    connect: 42,
    copy_file_range: 326,
    dup3: 292,
    execve: 59,
    execveat: 322,
    exit_group: 231,
    fchdir: 81,
    fcntl: 72,
    flistxattr: 196,
    flock: 73,
    fsconfig: 431,
    fsmount: 432,
    fsopen: 430,
    getdents64: 217,
    getsockname: 51,
    ioctl: 16,
    keyctl: 250,
    kill: 62,
    lgetxattr: 192,
    linkat: 265,
    listen: 50,
    llistxattr: 195,
    lremovexattr: 198,
    lseek: 8,
    lsetxattr: 189,
    memfd_create: 319,
    mknodat: 259,
    mount: 165,
    mount_setattr: 442,
    move_mount: 429,
    open_tree: 428,
    openat: 257,
    pipe2: 293,
    pivot_root: 155,
    ppoll: 271,
    prctl: 157,
    prlimit64: 302,
    read: 0,
    recvmsg: 47,
    rt_sigaction: 13,
    rt_sigprocmask: 14,
    seccomp: 317,
    sendmsg: 46,
    setdomainname: 171,
    setgroups: 116,
    sethostname: 170,
    setns: 308,
    setresgid: 119,
    setresuid: 117,
    setsid: 112,
    setsockopt: 54,
    signalfd4: 289,
    socket: 41,
    socketpair: 53,
    statx: 332,
    umask: 95,
    umount2: 166,
    unlinkat: 263,
    unshare: 272,
    utimensat: 280,
    wait4: 61,
    waitid: 247,
    write: 1,
    writev: 20,
  },
  arm64: {
    bind: 200,
    bpf: 280,
    capget: 90,
    capset: 91,
    chdir: 49,
    chroot: 51,
    clone: 220,
    clone3: 435,
    close: 57,
    close_range: 436,
    connect: 203,
    copy_file_range: 285,
    dup3: 24,
    execve: 221,
    execveat: 281,
    exit_group: 94,
    fchdir: 50,
    fcntl: 25,
    flistxattr: 13,
    flock: 32,
    fsconfig: 431,
    fsmount: 432,
    fsopen: 430,
    getdents64: 61,
    getsockname: 204,
    ioctl: 29,
    keyctl: 219,
    kill: 129,
    lgetxattr: 9,
    linkat: 37,
    listen: 201,
    llistxattr: 12,
    lremovexattr: 15,
    lseek: 62,
    lsetxattr: 6,
    memfd_create: 279,
    mknodat: 33,
    mount: 40,
    mount_setattr: 442,
    move_mount: 429,
    open_tree: 428,
    openat: 56,
    pipe2: 59,
    pivot_root: 41,
    ppoll: 73,
    prctl: 167,
    prlimit64: 261,
    read: 63,
    recvmsg: 212,
    rt_sigaction: 134,
    rt_sigprocmask: 135,
    seccomp: 277,
    sendmsg: 211,
    setdomainname: 162,
    setgroups: 159,
    sethostname: 161,
    setns: 268,
    setresgid: 149,
    setresuid: 147,
    setsid: 157,
    setsockopt: 208,
    signalfd4: 74,
    socket: 198,
    socketpair: 199,
    statx: 291,
    umask: 166,
    umount2: 39,
    unlinkat: 35,
    unshare: 97,
    utimensat: 88,
    wait4: 260,
    waitid: 95,
    write: 64,
    writev: 66,
  },
} as const

/** A system call that this module can make. */
export type SyscallName = keyof (typeof NUMBERS)['x64']

/** An argument: a number, memory that the kernel may read or write, or a null pointer. */
export type SyscallArgument = number | Uint8Array | undefined

/** `AT_FDCWD`: relative paths start at the calling thread's working directory. */
export const AT_FDCWD = -100

/** A failed system call, in the shape of Node's own: `code` is the errno name, `errno` is negative. */
export class SystemError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string

  constructor(errno: number, syscall: string, subject: string | undefined) {
    const [code, text] = describeErrno(errno)
    super(`${code}: ${text}, ${syscall}${subject === undefined ? '' : ` '${subject}'`}`)
    this.name = 'SystemError'
    this.code = code
    this.errno = -errno
    this.syscall = syscall
  }
}

/**
 * Makes one system call on this thread and returns its result.
 * @param subject what it is about, for the error message
 * @throws {SystemError}
 */
export function syscall(
  name: SyscallName,
  args: readonly SyscallArgument[],
  subject?: string | Uint8Array,
): number {
  const result = trySyscall(name, args)
  if (result >= 0) return result
  const text = typeof subject === 'string' || subject === undefined ? subject : textOf(subject)
  throw new SystemError(-result, name, text)
}

/** The same, with a negative errno as the result instead of an exception. */
export function trySyscall(name: SyscallName, args: readonly SyscallArgument[]): number {
  const numbers = numbersOfThisMachine()
  let shape = ''
  for (const argument of args) shape += typeof argument === 'number' ? 'n' : 'p'
  const call = calls.get(shape) ?? declare(shape)
  const result = call(numbers[name], ...args.map((argument) => argument ?? null))
  return result === -1 ? -loadKoffi().errno() : result
}

/** A system call of numbers, which may be addresses; a failed one gives -1. */
export type RepeatedCall = (...args: readonly number[]) => number

/**
 * A system call for many thousands of turns: what `trySyscall` looks up and declares is done once. The first
 * argument is the number of the call.
 */
export function repeatedCall(argumentCount: number): RepeatedCall {
  return declare('n'.repeat(argumentCount))
}

/** Why the last system call of this thread has failed. */
export function lastErrno(): number {
  return loadKoffi().errno()
}

/** Of a system call, on this machine. */
export function numberOfCall(name: SyscallName): number {
  return numbersOfThisMachine()[name]
}

/** A path or text in the form of system calls: bytes with a NUL at the end. */
export function cString(text: string | Uint8Array): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
  if (bytes.includes(0)) throw new SystemError(constants.errno.EINVAL, 'path', 'with a NUL byte')
  const terminated = Buffer.alloc(bytes.length + 1)
  terminated.set(bytes)
  return terminated
}

/** Functions of one shared library. */
export interface SharedLibrary {
  /** Declares a C function, e.g. `int puts(const char *text)`. */
  func(declaration: string): (...args: readonly unknown[]) => number | bigint | object
}

/** Where bytes lie in memory, for structures that point to others. Valid as long as `bytes` is kept. */
export function addressOf(bytes: Uint8Array): bigint {
  return loadKoffi().address(bytes)
}

/** Opens a shared library by its soname, or the C library; `undefined` when the host has none. */
export function openLibrary(name: string | null): SharedLibrary | undefined {
  try {
    const library = loadKoffi().load(name)
    return { func: (declaration) => library.func(declaration) }
  } catch {
    return undefined
  }
}

type RawCall = (...args: readonly (number | Uint8Array | null)[]) => number

const calls = new Map<string, RawCall>()
let koffi: typeof import('koffi') | undefined

/**
 * Loading takes milliseconds, and a build that finds everything in its cache needs none of this. Most of
 * them are spent on finding the addon for this machine, so the likely one is taken at once.
 */
function loadKoffi(): typeof import('koffi') {
  try {
    koffi ??= requireFirst([addonOf(process.arch), 'koffi'])
    return koffi
  } catch (cause) {
    if (errnoOf(cause) !== 'EACCES' || !(cause instanceof Error)) throw cause
    // The one executable file has it, but cannot load it from there.
    throw new TsbuildError(`load native code: ${cause.message}`, {
      code: 'PERMISSION_DENIED',
      cause,
      hint: 'name a folder where that is allowed in TMPDIR',
    })
  }
}

/** Of koffi, for the C library of most distributions. */
function addonOf(arch: string): string {
  return `@koromix/koffi-linux-${arch}/linux_${arch}/koffi.node`
}

function requireFirst(names: readonly string[]): typeof import('koffi') {
  const require = programLoader()?.require ?? createRequire(import.meta.url)
  const [name = '', ...others] = names
  if (others.length === 0) return require(name) as typeof import('koffi')
  try {
    return require(name) as typeof import('koffi')
  } catch {
    // Not installed there, or for another C library.
    return requireFirst(others)
  }
}

function declare(shape: string): RawCall {
  const types = [...shape].map((kind) => (kind === 'n' ? 'int64' : 'void *'))
  const call = loadKoffi()
    .load(null)
    .func('syscall', 'int64', ['int64', ...types])
  calls.set(shape, call)
  return call
}

function numbersOfThisMachine(): (typeof NUMBERS)['x64' | 'arm64'] {
  if (process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')) {
    return NUMBERS[process.arch]
  }
  throw new SystemError(constants.errno.ENOSYS, 'syscall', `${process.platform}/${process.arch}`)
}

function describeErrno(errno: number): readonly [string, string] {
  const known = getSystemErrorMap().get(-errno)
  if (known !== undefined) return known
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0]
  return [name ?? `E${errno}`, name ?? `error ${errno}`]
}

function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8')
  return text.endsWith('\0') ? text.slice(0, -1) : text
}
