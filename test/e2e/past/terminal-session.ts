import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { CLEAN_ENVIRONMENT } from '../../support/peers/index.ts'

/** Milliseconds. */
const PATIENCE = 15_000
const END_PATIENCE = 500

/** A shell script of this machine on a terminal that script(1) makes, and a person who types. */
export class TerminalSession implements AsyncDisposable {
  /** All that was shown so far. */
  seen = ''
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>

  constructor(script: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn('script', ['-qefc', script, '/dev/null'], {
      env: { ...CLEAN_ENVIRONMENT, ...env, SHELL: '/bin/sh', TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#ended = once(this.#child, 'close')
    this.#child.stdout?.on('data', (data) => {
      this.seen += data
    })
  }

  /** Waits until what is shown matches. */
  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = performance.now() + PATIENCE
    while (performance.now() < deadline) {
      const found = pattern.exec(this.seen)
      if (found !== null) return found
      await delay(20)
    }
    throw new Error(`${pattern} was not shown:\n${this.seen}`)
  }

  /** Waits for a prompt at the end of what is shown. */
  async prompt(sign: '$' | '#'): Promise<void> {
    await this.until(sign === '$' ? /\$ \W{0,2}(?:6n)?$/ : /# \W{0,2}(?:6n)?$/)
  }

  type(text: string): void {
    this.#child.stdin?.write(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end()
    // One whose script has ended is about to end.
    await Promise.race([this.#ended, delay(END_PATIENCE)])
    this.#child.kill('SIGTERM')
    await this.#ended
  }
}
