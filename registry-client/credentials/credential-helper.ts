import type { ChildProcess } from 'node:child_process'
import { ownProgram, readDocument, type Shaped, shapes, TsbuildError } from '#core'
import type { Credentials, StoredCredentials } from './credentials.ts'

/** How a credential helper is run. */
export interface HelperOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds for one call. */
  readonly timeout: number
}

const MAX_OUTPUT = 1024 * 1024
const NOT_FOUND = 'credentials not found in native keychain'
const NO_CREDENTIALS = 'answered with something else than credentials'
const NO_URL = 'no credentials server URL'
/** The user name under which helpers keep identity tokens. */
const TOKEN_USER = '<token>'

const { object, string } = shapes

const ANSWER = object({ ServerURL: string, Username: string, Secret: string })

interface Output {
  readonly exitCode: number | undefined
  readonly stdout: Buffer
}

/**
 * A program `docker-credential-NAME`. Secrets go through its pipes, never through its arguments, and
 * none of its output gets into an error. Spec: docker-credential-helpers, the `get`, `store` and
 * `erase` commands.
 */
export class CredentialHelper {
  readonly #program: string
  readonly #options: HelperOptions

  constructor(name: string, options: HelperOptions) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) {
      throw new TsbuildError(
        `invalid credential helper name ${JSON.stringify(name.slice(0, 80))}`,
        {
          code: 'CONFIG_INVALID',
          hint: "correct credsStore or credHelpers in docker's config.json",
        },
      )
    }
    this.#program = `docker-credential-${name}`
    this.#options = options
  }

  /** What the helper has under `key`. @throws {TsbuildError} CONFIG_INVALID when it fails */
  async get(key: string): Promise<Credentials | undefined> {
    const { exitCode, stdout } = await this.#run('get', key)
    if (exitCode !== 0) {
      const answer = stdout.toString().trim()
      if (answer === NOT_FOUND || answer === NO_URL) return undefined
      throw this.#helperError('get', `exited with code ${exitCode}`)
    }
    const { Username, Secret } = this.#read(stdout)
    if (Username === undefined || Secret === undefined)
      throw this.#helperError('get', NO_CREDENTIALS)
    if (Secret === '') return undefined
    return Username === TOKEN_USER
      ? { kind: 'identity-token', username: TOKEN_USER, token: Secret }
      : { kind: 'password', username: Username, password: Secret }
  }

  #read(stdout: Buffer): Shaped<typeof ANSWER> {
    try {
      return readDocument(stdout, ANSWER, {
        what: 'answer',
        code: 'CONFIG_INVALID',
        isSecret: true,
      })
    } catch (cause) {
      throw this.#helperError('get', NO_CREDENTIALS, cause)
    }
  }

  /** Replaces what the helper has under `key`. @throws {TsbuildError} CONFIG_INVALID when it fails */
  async store(key: string, credentials: StoredCredentials): Promise<void> {
    const isPassword = credentials.kind === 'password'
    const Username = isPassword ? credentials.username : TOKEN_USER
    const Secret = isPassword ? credentials.password : credentials.token
    const { exitCode } = await this.#run(
      'store',
      JSON.stringify({ ServerURL: key, Username, Secret }),
    )
    if (exitCode !== 0) throw this.#helperError('store', `exited with code ${exitCode}`)
  }

  /** Removes what the helper has under `key`; false when it has nothing. */
  async erase(key: string): Promise<boolean> {
    if ((await this.get(key)) === undefined) return false
    const { exitCode } = await this.#run('erase', key)
    if (exitCode !== 0) throw this.#helperError('erase', `exited with code ${exitCode}`)
    return true
  }

  async #run(command: string, input: string): Promise<Output> {
    // Most runs use no helper, and loading the module takes 3 ms.
    const { spawn } = await import('node:child_process')
    const { env } = this.#options
    const { file, path } = ownProgram(this.#program, env.PATH)
    const child = spawn(file, [command], {
      env: { ...env, PATH: path },
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    })
    const { promise, resolve, reject } = Promise.withResolvers<Output>()
    const fail = (what: string, cause?: unknown): void => {
      killGroup(child)
      reject(this.#helperError(command, what, cause))
    }
    const timer = setTimeout(
      () => fail(`gave no answer within ${this.#options.timeout / 1000} s`),
      this.#options.timeout,
    )
    const chunks: Buffer[] = []
    let size = 0
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_OUTPUT) fail(`wrote more than ${MAX_OUTPUT} bytes`)
      else chunks.push(chunk)
    })
    child.on('error', (cause) => fail('could not be started', cause))
    child.on('close', (code) => {
      resolve({ exitCode: code ?? undefined, stdout: Buffer.concat(chunks) })
    })
    // A helper may end without reading its input: its exit code decides.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    return promise.finally(() => clearTimeout(timer))
  }

  #helperError(command: string, what: string, cause?: unknown): TsbuildError {
    return new TsbuildError(`${command} credentials: ${this.#program} ${what}`, {
      code: 'CONFIG_INVALID',
      hint: `install or repair ${this.#program}, or remove it from docker's config.json`,
      cause,
    })
  }
}

/** Helpers are often scripts, so their own children are ended too. */
function killGroup(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}
