import { execFile } from 'node:child_process'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { TsbuildError } from '#core'
import { findHostProgram, isExecutable } from '#disk'

/** The runtimes whose command lines are known. */
const KINDS = ['runc', 'crun'] as const

export type RuntimeKind = (typeof KINDS)[number]

/** An OCI runtime of this host. Data: it can be posted to a thread. */
export interface RuntimeProgram {
  readonly kind: RuntimeKind
  /** Absolute. */
  readonly path: string
  readonly version: string
}

/**
 * Finds a runtime and asks it what it is.
 * @param name `runc`, `crun` or another program of the PATH, or a path
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE where there is none that can be used
 */
export async function findRuntime(name: string, env: NodeJS.ProcessEnv): Promise<RuntimeProgram> {
  const path = lookUp(name, env)
  const said = await versionOf(path)
  const [, program = '', version = ''] = /^(\S+) version (\S+)/.exec(said) ?? []
  const kind = KINDS.find((one) => one === program)
  if (kind !== undefined) return { kind, path, version }
  const [line = ''] = said.split('\n')
  throw unusableError(`${path} is neither runc nor crun: its version is ${JSON.stringify(line)}`)
}

function lookUp(name: string, env: NodeJS.ProcessEnv): string {
  if (name.includes('/')) {
    const path = resolve(name)
    if (isExecutable(path)) return path
    throw unusableError(`${path} is not a program`)
  }
  const directories = (env.PATH ?? '').split(delimiter).filter(Boolean)
  const found = directories.map((directory) => resolve(join(directory, name)))
  // Ordinary users often have no directories of the system's in their PATH.
  const path = found.find(isExecutable) ?? findHostProgram(name)
  if (path !== undefined) return path
  throw unusableError(`${JSON.stringify(name)} is not in the PATH`)
}

/** Milliseconds that a program has to say its version. */
const PATIENCE = 10_000

async function versionOf(path: string): Promise<string> {
  try {
    const options = { env: {}, cwd: '/', timeout: PATIENCE, maxBuffer: 64 * 1024 }
    const { stdout } = await promisify(execFile)(path, ['--version'], options)
    return stdout
  } catch (cause) {
    const text = cause instanceof Error ? cause.message.trim() : String(cause)
    throw unusableError(`it cannot be executed: ${text}`, cause)
  }
}

function unusableError(reason: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`run steps by an OCI runtime: ${reason}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'install runc or crun, or name its path: --runtime PATH; without --runtime no program is needed',
    cause,
  })
}

/** Where a runtime finds and writes the files of one container. */
export interface RuntimeFiles {
  /** A directory with config.json. */
  readonly bundle: string
  readonly state: string
  readonly log: string
  /** Gets the pid of the container's process. */
  readonly pid: string
  /** How many descriptors from 3 on the container's process gets. */
  readonly descriptors: number
}

/**
 * The command line that starts a container and ends when its process runs. No control groups are made: the
 * process goes to those of its step.
 */
export function runtimeCommand(
  { kind, path }: RuntimeProgram,
  { bundle, state, log, pid, descriptors }: RuntimeFiles,
): readonly string[] {
  const withoutGroups = kind === 'runc' ? '--rootless=true' : '--cgroup-manager=disabled'
  const logged = ['--log', log, '--log-format', 'json']
  const files = ['--bundle', bundle, '--pid-file', pid, `--preserve-fds=${descriptors}`]
  return [path, '--root', state, ...logged, withoutGroups, 'run', '--detach', ...files, 'step']
}
