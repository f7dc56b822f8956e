import { closeSync, readFileSync } from 'node:fs'
import { failureOf, lacksRights, ownCapabilities, runCalls, SystemError } from '#builder/linux'
import { TsbuildError } from '#core'
import { readIfThere } from './host-files.ts'
import { makeUserNamespace } from './reexec.ts'
import { inAContainer, processStatus } from './rights.ts'
import { NAMESPACE_CALLS } from './trial-calls.ts'

/** True where steps can have namespaces of their own. Tried at most once, and only where it is in doubt. */
export function canMakeNamespaces(): boolean {
  return missingNamespacesError() === undefined
}

let known: { readonly error: TsbuildError | undefined } | undefined

/** Why steps can have no namespaces here, and what to do; `undefined` where they can. */
export function missingNamespacesError(): TsbuildError | undefined {
  known ??= { error: findError() }
  return known.error
}

function findError(): TsbuildError | undefined {
  if (!lacksRights()) {
    const refused = isConfined() ? tryCalls() : undefined
    return refused === undefined ? undefined : errorOf(refused)
  }
  const namespace = makeUserNamespace()
  if (typeof namespace !== 'number') return errorOf(namespace)
  closeSync(namespace)
  // Only the program tsbuild starts again inside of it; who uses the library has to see to that.
  return new TsbuildError('steps need namespaces, which this process has no right to make', {
    code: 'SANDBOX_UNAVAILABLE',
    hint:
      process.execve === undefined
        ? 'use Node.js 24, which can start the command again in a user namespace'
        : 'start it as root of a user namespace, as the command tsbuild does by itself',
  })
}

function tryCalls(): Error | undefined {
  const calls = [...NAMESPACE_CALLS, { call: 'exit_group', args: [0] } as const]
  const [failure] = runCalls(calls)
  return failure === undefined ? undefined : failureOf(failure, calls)
}

/** False where nothing but capabilities decides what root may do: then there is no need to try. */
function isConfined(): boolean {
  if (processStatus().get('Seccomp') !== '0') return true
  // The label of AppArmor or SELinux; without such a module the kernel has none, or no file.
  const label = labelOfThisProcess()
  return label !== '' && !/^unconfined\b/.test(label) && !/:unconfined_t:/.test(label)
}

function labelOfThisProcess(): string {
  try {
    return readFileSync('/proc/self/attr/current', 'latin1').replace(/\0$/, '').trim()
  } catch {
    return ''
  }
}

function errorOf(refused: Error): TsbuildError {
  return new TsbuildError(
    `steps need namespaces, which this process may not make: ${refused.message}`,
    {
      code: 'SANDBOX_UNAVAILABLE',
      hint: switchedOff() ?? remediesFor(refused).join('; and '),
      cause: refused,
    },
  )
}

/** Root gives its ids to a namespace with these; Linux lets only the last one give id 0, even one's own. */
const FOR_ROOT = { SETGID: 6, SETUID: 7, SETFCAP: 31 } as const

function remediesFor(refused: Error): readonly string[] {
  const isMap = refused instanceof SystemError && refused.syscall === 'write'
  const own = process.geteuid?.() === 0 ? ownCapabilities() : undefined
  const missing = Object.entries(FOR_ROOT).flatMap(([name, number]) => {
    return own === undefined || ((own >> BigInt(number)) & 1n) !== 0n ? [] : [name]
  })
  if (missing.length === 0) return [inAContainer()]
  const what = missing.length === 1 ? 'capability' : 'capabilities'
  const rights = `leave root the ${what} ${missing.join(', ')} (docker run --cap-add, capabilities.add of Kubernetes)`
  // Without a filter of system calls nothing else is in the way.
  return isMap ? [rights] : [rights, inAContainer()]
}

const SYSTEM_SWITCHES: readonly (readonly [path: string, off: string, remedy: string])[] = [
  ['/proc/sys/user/max_user_namespaces', '0', 'user.max_user_namespaces=15000'],
  ['/proc/sys/kernel/unprivileged_userns_clone', '0', 'kernel.unprivileged_userns_clone=1'],
  [
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    '1',
    'kernel.apparmor_restrict_unprivileged_userns=0',
  ],
]

/** What an administrator has switched off on this machine, and how it is switched on. */
function switchedOff(): string | undefined {
  const found = SYSTEM_SWITCHES.find(([path, off]) => readIfThere(path).trim() === off)
  if (found === undefined) return undefined
  const [path, off, remedy] = found
  return `${path} is ${off}: run as root, or let users have namespaces: sysctl -w ${remedy}`
}
