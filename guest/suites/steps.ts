import { writeFileSync } from 'node:fs'
import { type Installed, installedFor } from '../../test/e2e/support/installed.ts'
import { startTsbuild, tsbuild } from '../../test/e2e/support/tsbuild.ts'
import {
  busyboxBase,
  type Outcome,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../test/support/peers/index.ts'
import type { Person } from './persons.ts'

/** Milliseconds of one build, with instructions that QEMU may execute. */
const PATIENCE = 240_000

/** Builds single RUN steps on busybox with the command line, as one person. */
export class Steps implements AsyncDisposable {
  readonly #directory: TemporaryDirectory
  readonly #base: string
  readonly #person: Person
  readonly #installed: Installed & Disposable

  private constructor(base: string, person: Person, installed: Installed & Disposable) {
    // A person's own; what the builder makes in it is the person's.
    this.#directory = temporaryDirectory('steps', 0o777)
    this.#base = base
    this.#person = person
    this.#installed = installed
  }

  static async of(person: Person): Promise<Steps> {
    return new Steps(await busyboxBase(), person, await installedFor(person))
  }

  /**
   * Runs a script as a step, without the cache. Each line of it is in `stderr` as plain progress shows it.
   * @param mounts flags of RUN
   */
  async run(script: string, flags: readonly string[] = [], mounts = ''): Promise<Outcome> {
    return await tsbuild(this.#arguments(script, flags, mounts), this.#start)
  }

  /** What a step that succeeds has written, line by line. */
  async linesOf(
    script: string,
    flags: readonly string[] = [],
    mounts = '',
  ): Promise<readonly string[]> {
    const { status, stderr } = await this.run(script, flags, mounts)
    if (status !== 0) throw new Error(stderr)
    return [...stderr.matchAll(/^#\d+ \d+\.\d+ (.*)$/gm)].map(([, line]) => line ?? '')
  }

  /** Starts a step and leaves it running. @returns its process, which is a leader of nothing */
  start(script: string, flags: readonly string[] = []): ReturnType<typeof startTsbuild> {
    return startTsbuild(this.#arguments(script, flags), this.#start, this.log)
  }

  /** Where what a started build writes goes. */
  get log(): string {
    return this.#directory.file('log')
  }

  /** `tsbuild doctor` as the person. */
  async doctor(): Promise<ReadonlyMap<string, Check>> {
    const { stdout, stderr } = await tsbuild(['doctor', '--format', 'json'], this.#start)
    if (stderr !== '') throw new Error(stderr)
    const checks: readonly Check[] = JSON.parse(stdout)
    return new Map(checks.map((check) => [check.subject, check]))
  }

  get #start(): Parameters<typeof tsbuild>[1] {
    return {
      root: this.#directory.file('store'),
      cwd: '/',
      env: { HOME: this.#person.home },
      prefix: this.#person.prefix,
      installed: this.#installed,
      timeoutMs: PATIENCE,
    }
  }

  /** A file of its own, for what a build reads or writes. */
  file(name: string): string {
    return this.#directory.file(name)
  }

  #arguments(script: string, flags: readonly string[], mounts = ''): readonly string[] {
    const lines = ['FROM busybox', `RUN ${mounts} <<'END'`, script, 'END', '']
    writeFileSync(this.#directory.file('Dockerfile'), lines.join('\n'))
    return [
      ...['build', '--no-cache', '--network', 'none', ...flags],
      ...['--build-context', `busybox=oci-layout://${this.#base}`],
      this.#directory.path,
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#installed[Symbol.dispose]()
    this.#directory[Symbol.dispose]()
  }
}

/** One line of `tsbuild doctor`. */
export interface Check {
  readonly subject: string
  readonly state: string
  readonly detail: string
  readonly hint?: string
}
