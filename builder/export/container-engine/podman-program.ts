import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, ownProgram, TsbuildError, throwIfCancelled } from '#core'
import { isExecutable } from '#disk'

type Environment = Readonly<Record<string, string | undefined>>

/** How podman ended, and what it printed. */
export interface PodmanOutcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** What podman is run with. */
export interface PodmanRun {
  readonly env: Environment
  /** Its working directory. */
  readonly directory?: string
  readonly signal: AbortSignal | undefined
}

/** Characters of what it prints: images have some thousand layers at most. */
const MAX_OUTPUT = 1024 * 1024

/** Whether there is such a program. */
export function hasPodman({ PATH }: Environment): boolean {
  const { file, path } = ownProgram('podman', PATH)
  return path.split(':').some((folder) => isExecutable(join(folder, file)))
}

/**
 * Runs podman to its end, with the user's settings.
 * @returns `undefined` when there is no such program
 * @throws {TsbuildError} CANCELLED
 */
export async function runPodman(
  args: readonly string[],
  { env, directory, signal }: PodmanRun,
): Promise<PodmanOutcome | undefined> {
  const { execFile } = await import('node:child_process')
  const { file, path } = ownProgram('podman', env.PATH)
  const options = {
    env: { ...env, PATH: path, ...namespaceVariables(env) },
    maxBuffer: MAX_OUTPUT,
    ...(directory === undefined ? {} : { cwd: directory }),
    ...(signal === undefined ? {} : { signal }),
  }
  const { promise, resolve } = Promise.withResolvers<readonly [unknown, string, string]>()
  execFile(file, args, options, (cause, stdout, stderr) => resolve([cause, stdout, stderr]))
  const [cause, stdout, stderr] = await promise
  throwIfCancelled(signal, 'load into podman')
  if (cause === null) return { status: 0, stdout, stderr }
  if (errnoOf(cause) === 'ENOENT') return undefined
  const status = cause instanceof Error && 'code' in cause ? Number(cause.code) : Number.NaN
  if (!Number.isNaN(status)) return { status, stdout, stderr }
  throw new TsbuildError(`run podman: ${cause instanceof Error ? cause.message : String(cause)}`, {
    code: 'IO_FAILED',
    cause,
  })
}

/**
 * In a namespace in which the user is root, podman would look for root's images. It knows such a namespace by
 * these variables, with which it starts itself again in one, as `podman unshare` does.
 */
function namespaceVariables(env: Environment): Environment {
  const [uid, gid] = [outerId('uid_map'), outerId('gid_map')]
  const isKnown = env._CONTAINERS_USERNS_CONFIGURED !== undefined
  if (uid === undefined || gid === undefined || isKnown) return {}
  return {
    _CONTAINERS_USERNS_CONFIGURED: 'done',
    _CONTAINERS_ROOTLESS_UID: uid,
    _CONTAINERS_ROOTLESS_GID: gid,
  }
}

/** The user that root is here, where that is one user alone, and not root. Spec: user_namespaces(7) */
function outerId(map: 'uid_map' | 'gid_map'): string | undefined {
  const [, outer] = /^\s*0\s+(\d+)\s+1\s*$/m.exec(readFileSync(`/proc/self/${map}`, 'latin1')) ?? []
  return outer === '0' ? undefined : outer
}
