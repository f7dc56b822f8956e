import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { CLEAN_ENVIRONMENT } from '../../../support/peers/index.ts'

/** Milliseconds until what is awaited must be shown. */
const PATIENCE = 8_000
/** Milliseconds for a command to end when it is asked to. */
const END_PATIENCE = 2_000

/** What a terminal shows of a command, and a keyboard. */
export class Terminal implements AsyncDisposable {
  /** All that was shown so far. */
  seen = ''
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  /** What was shown before the latest keys were typed. */
  #from = 0

  constructor(
    command: readonly string[],
    { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
  ) {
    const line = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
    this.#child = spawn('script', ['-qefc', line, '/dev/null'], {
      cwd,
      env: { ...CLEAN_ENVIRONMENT, ...env, SHELL: '/bin/sh' },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    this.#ended = once(this.#child, 'close')
    this.#child.stdout?.on('data', (data) => {
      this.seen += data
    })
  }

  /** Waits until what is shown since the latest keys matches; whether it did. */
  async shows(pattern: RegExp): Promise<boolean> {
    const deadline = performance.now() + PATIENCE
    while (performance.now() < deadline) {
      if (pattern.test(this.seen.slice(this.#from))) return true
      if (this.#child.exitCode !== null) return false
      await delay(10)
    }
    return false
  }

  type(text: string): void {
    this.#from = this.seen.length
    this.#child.stdin?.write(text)
  }

  /** Waits for the end of the command; whether it came. */
  async ends(): Promise<boolean> {
    return await Promise.race([
      this.#ended.then(() => true),
      delay(PATIENCE, false, { ref: false }),
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end()
    this.#child.kill('SIGTERM')
    if (!(await Promise.race([this.#ended.then(() => true), delay(END_PATIENCE, false)]))) {
      this.#child.kill('SIGKILL')
    }
    await this.#ended
  }
}
