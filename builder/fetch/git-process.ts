import { constants } from 'node:os'
import { errnoOf, ownProgram, TsbuildError, throwIfCancelled } from '#core'
import type { Environment } from '#http'
import { gitProxies } from './git-proxies.ts'

/** Where git runs, and what it may send. */
export interface GitRun {
  /** Working directory of the process, and where it finds its repository. */
  readonly directory: string
  /**
   * A header for the remote, as `http.URL.extraHeader`. Redirects are not followed then: git would send
   * the header on.
   */
  readonly header?: { readonly url: string; readonly value: string } | undefined
  /** The remote, and the URL that is used instead. */
  readonly moved?: { readonly from: string; readonly to: string } | undefined
  readonly signal?: AbortSignal | undefined
}

/** Protocols that a remote, and the submodules it names, may use: neither files nor commands. */
const PROTOCOLS = 'git:http:https:ssh'

/** The configuration of the machine and of the user is not read, so that a build is the same anywhere. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.attributesFile', '/dev/null'],
  ['core.excludesFile', '/dev/null'],
  ['core.autocrlf', 'false'],
  ['core.fsmonitor', 'false'],
  ['core.askPass', ''],
  ['credential.helper', ''],
  ['advice.detachedHead', 'false'],
  ['init.defaultBranch', 'master'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['http.lowSpeedLimit', '1000'],
  ['http.lowSpeedTime', '60'],
]

/** The variables that say how to reach other hosts; see `gitProxies` for the others. */
const PASSED = /^(?:SSH_AUTH_SOCK|SSL_CERT_FILE|SSL_CERT_DIR|GIT_SSL_CAINFO)$/i

const MAX_OUTPUT = 64 << 20

/** Runs the host's `git`, never through a shell, with an environment of its own. */
export class Git {
  readonly #environment: Environment
  readonly #home: string

  /** @param home an empty folder that it may take for the user's */
  constructor(environment: Environment, home: string) {
    this.#environment = environment
    this.#home = home
  }

  /**
   * @returns what it printed
   * @throws {GitError} when it ended with a failure; {TsbuildError} UNSUPPORTED without git, CANCELLED
   */
  async run(args: readonly string[], run: GitRun): Promise<string> {
    const { directory, signal } = run
    throwIfCancelled(signal, 'git')
    const settings = [...SETTINGS, ...settingsOf(run)]
    // Loaded when needed: most builds do not use git.
    const { spawn } = await import('node:child_process')
    const { file, path } = ownProgram('git', this.#environment.PATH)
    const child = spawn(file, args, {
      cwd: directory,
      env: { ...this.#environmentWith(settings), PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const stop = (): void => killGroup(child.pid)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const ended = new Promise<number | null>((resolve, reject) => {
        child.once('error', reject)
        child.once('close', resolve)
      })
      const [code, output, errors] = await Promise.all([
        ended,
        gather(child.stdout),
        gather(child.stderr),
      ])
      throwIfCancelled(signal, 'git')
      if (code === 0) return output
      throw new GitError(reasonOf(errors) ?? `git ended with exit code ${code}`)
    } catch (cause) {
      if (errnoOf(cause) === 'ENOENT') throw missingGitError()
      throw cause
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  #environmentWith(settings: readonly (readonly [string, string])[]): Record<string, string> {
    const passed = Object.entries(this.#environment).flatMap(([key, value]) =>
      value !== undefined && PASSED.test(key) ? [[key, value] as const] : [],
    )
    const config = settings.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key] as const,
      [`GIT_CONFIG_VALUE_${index}`, value] as const,
    ])
    return {
      ...Object.fromEntries(passed),
      ...gitProxies(this.#environment),
      ...Object.fromEntries(config),
      GIT_CONFIG_COUNT: String(settings.length),
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_TEMPLATE_DIR: '',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ALLOW_PROTOCOL: PROTOCOLS,
      GIT_PROTOCOL_FROM_USER: '0',
      GIT_SSH_COMMAND: 'ssh -o BatchMode=yes',
      GIT_LFS_SKIP_SMUDGE: '1',
      HOME: this.#home,
      XDG_CONFIG_HOME: this.#home,
      LC_ALL: 'C',
    }
  }
}

/** git ended with a failure; the message is git's own. */
export class GitError extends Error {
  /** The remote redirected, and git did not follow. */
  get isRedirect(): boolean {
    return /returned error: 30[12378]$/.test(this.message)
  }
}

function settingsOf({ header, moved }: GitRun): readonly (readonly [string, string])[] {
  const sent =
    header === undefined
      ? []
      : ([
          [`http.${header.url}.extraHeader`, header.value],
          [`http.${header.url}.followRedirects`, 'false'],
        ] as const)
  if (moved === undefined) return sent
  return [...sent, [`url.${moved.to}.insteadOf`, moved.from]]
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, constants.signals.SIGKILL)
  } catch (cause) {
    // It has ended already.
    if (errnoOf(cause) !== 'ESRCH') throw cause
  }
}

async function gather(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size <= MAX_OUTPUT) chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The line with the reason: the first one that is an error. */
function reasonOf(errors: string): string | undefined {
  const lines = errors.split('\n').filter((line) => line.trim() !== '')
  const reason = lines.find((line) => /^(?:fatal|error): /.test(line)) ?? lines.at(-1)
  return reason?.replace(/^(?:fatal|error): /, '').slice(0, 500)
}

function missingGitError(): TsbuildError {
  return new TsbuildError('a git repository needs the program git, which is not installed', {
    code: 'UNSUPPORTED',
    hint: 'install it, on Debian with apt-get install git',
  })
}
