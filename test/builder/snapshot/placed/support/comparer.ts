import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Comparison, Scenario } from './both-roots.ts'

/** A process that does scenarios to both roots. */
export class Comparer {
  readonly #scratch = mkdtempSync('/var/tmp/tsbuild-placed-')
  readonly #child: ChildProcess

  constructor() {
    const script = new URL('./both-roots.js', import.meta.url).pathname
    const args = ['-m', process.execPath, '--enable-source-maps', script, this.#scratch]
    this.#child = spawn('unshare', args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  }

  /** One scenario at a time. */
  async compare(scenario: Scenario): Promise<readonly Comparison[]> {
    this.#child.send(scenario)
    const ended = new AbortController()
    try {
      const answer = once(this.#child, 'message', { signal: ended.signal })
      const end = once(this.#child, 'exit', { signal: ended.signal })
      const [first] = await Promise.race([answer, end])
      if (!Array.isArray(first)) throw new Error(`the process ended: ${first}`)
      return first
    } finally {
      ended.abort()
    }
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect()
    rmSync(this.#scratch, { recursive: true, force: true })
  }
}
