import { accessSync, constants, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { errnoOf, TsbuildError } from '#core'
import { hasNoNewPrivileges, processStatus } from './rights.ts'

/** How the command goes on. */
export interface ReexecOptions {
  /** The environment to go on with, whole. */
  readonly env: NodeJS.ProcessEnv
}

/**
 * Makes an ordinary user root of a user and mount namespace of their own, in which steps can run as
 * they do for the real root. This process is replaced by the same command in that namespace, with the
 * same pid, so its parent notices nothing; call this first. Returns at once when the user
 * is root already, there or on the host.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE when this host does not let users do that
 */
export function reexecInUserNamespace(options: ReexecOptions): void {
  if (process.geteuid?.() === 0) return
  const obstacle = userNamespacesError()
  if (obstacle !== undefined) throw obstacle
  const unshare = findProgram('unshare')
  if (unshare === undefined || process.execve === undefined) {
    throw ordinaryUserError('the program unshare is missing', 'install the package util-linux')
  }
  const mapping = canMapRange() ? ['--map-auto', '--map-root-user'] : ['--map-root-user']
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const args = ['unshare', '--user', ...mapping, '--mount', '--', ...command]
  process.execve(unshare, args, options.env)
}

/**
 * True when the user has a range of ids to give to steps, and the programs that assign it. Without,
 * all files of an image belong to one user, and only steps that run as root work.
 */
export function canMapRange(): boolean {
  if (process.geteuid?.() === 0) return true
  // These programs are set-uid ones.
  if (hasNoNewPrivileges(processStatus())) return false
  const programs = ['newuidmap', 'newgidmap'].every((name) => findProgram(name) !== undefined)
  return programs && hasRange('/etc/subuid') && hasRange('/etc/subgid')
}

const SYSTEM_SWITCHES: readonly (readonly [string, string, string])[] = [
  ['/proc/sys/user/max_user_namespaces', '0', 'sysctl -w user.max_user_namespaces=15000'],
  [
    '/proc/sys/kernel/unprivileged_userns_clone',
    '0',
    'sysctl -w kernel.unprivileged_userns_clone=1',
  ],
  [
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    '1',
    'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  ],
]

/** Says why an ordinary user cannot have a user namespace here; `undefined` when nothing is known. */
function userNamespacesError(): TsbuildError | undefined {
  for (const [path, off, remedy] of SYSTEM_SWITCHES) {
    if (readIfThere(path).trim() === off) {
      return ordinaryUserError(
        `${path} is ${off}`,
        `run as root, or let users have them: ${remedy}`,
      )
    }
  }
  return undefined
}

/** Lines are `name:first:count` or `uid:first:count`. */
function hasRange(path: string): boolean {
  const user = userName()
  if (user === undefined) return false
  return readIfThere(path)
    .split('\n')
    .some((line) => line.startsWith(`${user}:`) || line.startsWith(`${process.getuid?.()}:`))
}

/** `undefined` for a uid that the host's passwd does not know. */
function userName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}

const DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin']

function findProgram(name: string): string | undefined {
  return DIRECTORIES.map((directory) => `${directory}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return ''
    throw cause
  }
}

function ordinaryUserError(reason: string, hint: string): TsbuildError {
  return new TsbuildError(`cannot run steps as an ordinary user: ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint,
  })
}
