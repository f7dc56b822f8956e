/** Many processes that do all kinds of things with one store at once, and are killed now and then. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startTsbuild } from '../../support/tsbuild.ts'
import { APPS, type App, argumentsOf, nameOf, type Site } from './soak-apps.ts'

/** How hard a soak is. */
export interface SoakSize {
  /** That run at a time. */
  readonly processes: number
  /** Of each of them. */
  readonly builds: number
  readonly kills: number
}

/** What a soak works on. */
export interface SoakOptions extends SoakSize, Site {
  readonly root: string
  /** For logs, and a cache. */
  readonly directory: string
  readonly random: () => number
}

/** A process that ended otherwise than it should. */
export interface SoakFailure {
  readonly command: string
  readonly output: string
}

/** What a soak has done. */
export interface Soaked {
  readonly failures: readonly SoakFailure[]
  readonly done: ReadonlyMap<string, number>
  readonly killed: number
}

/** Something that is done with a store. */
interface Action {
  readonly kind: string
  readonly args: readonly string[]
  /** A name that is not there is none of its failures. */
  readonly mayMiss: boolean
}

/** Milliseconds: about the duration of a build while all others run. Who lives longer is not killed. */
const LONGEST_LIFE = 1000

/** Of those that are to be killed, so many come to their end before. */
const ESCAPES = 2

export class Soak {
  readonly #options: SoakOptions
  readonly #running = new Set<ChildProcess>()
  readonly #failures: SoakFailure[] = []
  readonly #done = new Map<string, number>()
  #killsLeft: number
  #killed = 0
  #count = 0

  constructor(options: SoakOptions) {
    this.#options = options
    this.#killsLeft = options.kills
  }

  /** Runs all of it. After the first failure nothing new is begun. */
  async run(): Promise<Soaked> {
    const { processes } = this.#options
    await Promise.all(Array.from({ length: processes }, () => this.#lane()))
    return { failures: this.#failures, done: this.#done, killed: this.#killed }
  }

  /** Ends what is still running, each process by itself. */
  stop(): void {
    for (const child of this.#running) child.kill('SIGKILL')
  }

  async #lane(): Promise<void> {
    for (let builds = 0; builds < this.#options.builds; ) {
      if (this.#failures.length > 0) return
      const action = this.#choose()
      if (action.kind === 'build') builds += 1
      await this.#perform(action)
    }
  }

  #choose(): Action {
    const { random, host } = this.#options
    const app = APPS[Math.floor(random() * APPS.length)] as App
    const name = nameOf(app, host)
    const at = random()
    if (at < 0.1) return { kind: 'push', args: ['push', name], mayMiss: true }
    if (at < 0.2) return { kind: 'rmi', args: ['rmi', name], mayMiss: true }
    if (at < 0.25) return { kind: 'verify', args: ['store', 'verify'], mayMiss: false }
    if (at < 0.27) return { kind: 'repair', args: ['store', 'verify', '--repair'], mayMiss: false }
    if (at < 0.32) return { kind: 'prune', args: ['prune', '--all', '--force'], mayMiss: false }
    return {
      kind: 'build',
      args: argumentsOf(app, this.#options, this.#cacheFlags()),
      mayMiss: false,
    }
  }

  /** Of some builds: one folder is the cache of all of them. */
  #cacheFlags(): readonly string[] {
    const { random, directory } = this.#options
    const cache = join(directory, 'cache')
    const at = random()
    if (at < 0.1) return ['--cache-to', `type=local,mode=max,dest=${cache}`]
    return at < 0.3 ? ['--cache-from', `type=local,src=${cache}`] : []
  }

  async #perform({ kind, args, mayMiss }: Action): Promise<void> {
    const { root, directory, random } = this.#options
    const log = join(directory, `log${this.#count++}`)
    const child = startTsbuild(args, { root }, log)
    this.#running.add(child)
    const ended = once(child, 'exit')
    const life = random() < this.#danger ? this.#lifeOf(child, random()) : undefined
    const [code] = await ended
    this.#running.delete(child)
    const wasKilled = (await life) === true
    this.#done.set(kind, (this.#done.get(kind) ?? 0) + 1)
    const output = readFileSync(log, 'utf8')
    if (code === 0 || wasKilled || (mayMiss && /\(NOT_FOUND\)$/m.test(output))) return
    this.#failures.push({ command: args.join(' '), output: `${code}\n${output.slice(-4000)}` })
  }

  /** The probability that an action is one of those to be killed, so that they are spread over the whole soak. */
  get #danger(): number {
    const { processes, builds } = this.#options
    const left = processes * builds - (this.#done.get('build') ?? 0)
    return (ESCAPES * this.#killsLeft) / Math.max(1, left)
  }

  /** @returns whether the process was killed before its time */
  async #lifeOf(child: ChildProcess, part: number): Promise<boolean> {
    this.#killsLeft -= 1
    const stop = new AbortController()
    child.once('exit', () => stop.abort())
    await delay(part * LONGEST_LIFE, undefined, { signal: stop.signal }).catch(() => undefined)
    const wasRunning = child.exitCode === null && child.signalCode === null
    if (wasRunning) this.#killed += 1
    else this.#killsLeft += 1
    child.kill('SIGKILL')
    return wasRunning
  }
}
