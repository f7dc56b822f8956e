import {
  lacksRights,
  makeCallProgram,
  namespaceFlags,
  type ProgramCall,
  passOnDescriptor,
} from '#builder/linux'
import { errnoOf } from '#core'
import { NamespaceHolder } from './holder.ts'
import { waysToMapIds } from './id-maps.ts'

/** How the command goes on. */
export interface ReexecOptions {
  /** The environment to go on with, whole. */
  readonly env: NodeJS.ProcessEnv
}

/** What a process that has gone this way is called, so that none goes it twice. */
const NAME = 'tsbuild (namespace)'

/**
 * Makes a process that lacks rights root of a user and mount namespace of its own, in which steps can run
 * as they do for the real root. This process is replaced by the same command in that namespace, with the
 * same pid, so its parent notices nothing; call this first. Returns at once when it has the rights, and
 * where the kernel refuses: what needs no steps works all the same.
 */
export function reexecInUserNamespace({ env }: ReexecOptions): void {
  if (!lacksRights() || process.argv0 === NAME || process.execve === undefined) return
  const namespace = makeUserNamespace()
  if (typeof namespace !== 'number') return
  passOnDescriptor(namespace)
  const program = makeCallProgram(callsInto(namespace, env), { report: -1 })
  // Node has threads, and a process with threads cannot change its user namespace.
  process.execve(`/proc/self/fd/${program}`, [NAME], {})
}

/** Becomes root of the namespace, and then this command again. */
function callsInto(namespace: number, env: NodeJS.ProcessEnv): readonly ProgramCall[] {
  const command = [NAME, ...process.execArgv, ...process.argv.slice(1)]
  const variables = Object.entries(env).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  )
  return [
    // Should the kernel refuse after all, the command goes on as it is.
    { call: 'setns', args: [namespace, namespaceFlags('user')], optional: true },
    { call: 'close', args: [namespace] },
    { call: 'unshare', args: [namespaceFlags('mnt')], optional: true },
    { call: 'execve', args: [process.execPath, [...command, 0], [...variables, 0]] },
  ]
}

/**
 * Makes a user namespace with as many ids as can be had, in which steps can have their namespaces.
 * @returns its descriptor, or why there is none
 */
export function makeUserNamespace(): number | Error {
  let failure: Error | undefined
  for (const mapIds of waysToMapIds()) {
    try {
      using holder = new NamespaceHolder()
      mapIds(holder.pid)
      holder.tryNamespaces()
      return holder.open()
    } catch (cause) {
      if (!(cause instanceof Error) || errnoOf(cause) === undefined) throw cause
      failure ??= cause
    }
  }
  return failure ?? new Error('there are no ways to map ids')
}
