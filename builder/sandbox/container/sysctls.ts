/** Settings of the kernel that belong to namespaces of a container. */
import { writeFileSync } from 'node:fs'
import { errnoOf, TsbuildError } from '#core'
import type { StepSpec } from '../spec/step-spec.ts'
import type { StepNamespaces } from './step-namespaces.ts'

/** Those of a namespace for communication between processes. */
const OF_IPC =
  /^(?:kernel\/(?:msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\/mqueue\/.+)$/
const OF_NETWORK = /^net\/.+$/

/** Of a container: `host` is a network that it has no settings of its own in. */
interface SysctlInput {
  readonly spec: Pick<StepSpec, 'container'>
  readonly network: unknown
  readonly namespaces: Pick<StepNamespaces, 'ipc'>
}

/**
 * Writes them, from a thread that is in the namespaces of the container and still sees the host's /proc.
 * @throws {TsbuildError} USAGE for one that would change the host, or that the kernel refuses
 */
export function writeSysctls(input: SysctlInput): void {
  const sysctls = input.spec.container?.sysctls ?? {}
  for (const [name, value] of Object.entries(sysctls)) {
    const path = pathOf(name)
    refuseOfHost(name, path, input)
    try {
      writeFileSync(`/proc/sys/${path}`, value)
    } catch (cause) {
      if (errnoOf(cause) === undefined) throw cause
      throw sysctlError(`set the sysctl ${name} to ${JSON.stringify(value)}`, cause)
    }
  }
}

/** Names are separated by dots, unless the first separator is a slash: then a dot is a part of a name. */
function pathOf(name: string): string {
  const parts = name.split(/^[^./]*\//.test(name) ? '/' : /[./]/)
  if (parts.every((part) => /^[\w.-]+$/.test(part) && !/^\.+$/.test(part))) return parts.join('/')
  throw sysctlError(`${JSON.stringify(name)} is not the name of a sysctl`)
}

function refuseOfHost(name: string, path: string, { network, namespaces }: SysctlInput): void {
  const [kind, source] = OF_IPC.test(path)
    ? (['ipc', namespaces.ipc] as const)
    : OF_NETWORK.test(path)
      ? (['network', network] as const)
      : ([undefined, 'host'] as const)
  if (source !== 'host') return
  const reason =
    kind === undefined
      ? 'is not in a separate kernel namespace'
      : `cannot be used with the ${kind} namespace of the host`
  throw sysctlError(`sysctl ${JSON.stringify(name)} ${reason}`)
}

function sysctlError(message: string, cause?: unknown): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE', cause })
}
