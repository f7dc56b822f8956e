import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** How a finished process ended and what it wrote. */
export interface Outcome {
  /** Exit code; `undefined` when a signal ended it. */
  readonly status: number | undefined
  readonly signal: string | undefined
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  /** Added to `CLEAN_ENVIRONMENT`. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Milliseconds; the process is killed after it. Default: four minutes. */
  readonly timeoutMs?: number
}

/** No setting of the person who runs the tests may change what the tools do. */
export const CLEAN_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
}

/** Runs a program to its end. A failure is an outcome; only a missing program rejects. */
export async function capture(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...CLEAN_ENVIRONMENT, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 240_000,
    killSignal: 'SIGKILL',
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // A program may exit before it has read its input.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const [status, signal] = (await once(child, 'close')) as [number | null, string | null]
  return {
    status: status ?? undefined,
    signal: signal ?? undefined,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  }
}

/** Like `capture`, and throws with the end of what it wrote unless it exits with 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const outcome = await capture(command, args, options)
  if (outcome.status === 0) return outcome
  const end = outcome.status === undefined ? outcome.signal : `exit code ${outcome.status}`
  const tail = `${outcome.stdout}${outcome.stderr}`.trim().split('\n').slice(-20).join('\n')
  throw new Error(`${command} ${args.join(' ')}: ${end}\n${tail}`)
}

export interface DaemonOptions {
  readonly env?: Readonly<Record<string, string>>
  /** File that gets standard output and error. */
  readonly log: string
  /** Asked again and again until it answers something; the answer is the daemon's `ready`. */
  readonly ready: (log: string) => Promise<string | undefined> | string | undefined
  readonly timeoutMs?: number
}

/** A background process that ends with `await using`, and also when the test process dies. */
export interface Daemon extends AsyncDisposable {
  readonly pid: number
  readonly ready: string
}

/** Starts a background process and waits until it is ready. */
export async function startDaemon(
  command: string,
  args: readonly string[],
  options: DaemonOptions,
): Promise<Daemon> {
  const log = openSync(options.log, 'w')
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', command, ...args], {
    env: { ...CLEAN_ENVIRONMENT, ...options.env },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  await once(child, 'spawn')
  const deadline = Date.now() + (options.timeoutMs ?? 30_000)
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const ready = await options.ready(readFileSync(options.log, 'utf8'))
    if (ready !== undefined) {
      return { pid: child.pid ?? 0, ready, [Symbol.asyncDispose]: () => stop(child) }
    }
    await delay(20)
  }
  await stop(child)
  const tail = readFileSync(options.log, 'utf8').trim().split('\n').slice(-20).join('\n')
  throw new Error(`${command} did not become ready\n${tail}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await exited
  clearTimeout(late)
}
