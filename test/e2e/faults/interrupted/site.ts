import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type TemporaryDirectory,
  temporaryDirectory,
  untilEmpty,
} from '../../../support/peers/index.ts'
import { seededRandom } from '../../../support/random/index.ts'
import { MemoryRegistry } from '../../../support/registry/index.ts'
import { writeContext } from '../../support/context.ts'
import {
  foreignPidNamespaces,
  groupsOf,
  type ProcessId,
  processTree,
  survivors,
} from '../../support/processes.ts'
import { mustBuild, type Start, startTsbuild } from '../../support/tsbuild.ts'

/** What a build is doing when it gets a signal. */
export type Phase = 'pull' | 'extract' | 'run' | 'diff' | 'push'

/** Milliseconds within which a signal comes after its phase has begun. */
const SPREAD: Readonly<Record<Phase, number>> = {
  pull: 100,
  extract: 250,
  run: 100,
  diff: 150,
  push: 50,
}

const SEED = 130

const BASE = [
  'FROM scratch',
  'COPY --chmod=755 busybox /bin/busybox',
  'COPY many /many',
  'SHELL ["/bin/busybox", "sh", "-c"]',
  'RUN /bin/busybox --install -s /bin',
].join('\n')

/** How long it waits is in no key. */
const DOCKERFILE = [
  'ARG BASE',
  'FROM $BASE',
  `RUN --mount=type=secret,id=wait trap '' INT TERM HUP; (setsid sleep $(cat /run/secrets/wait) &); echo step $((1+1)); sleep $(cat /run/secrets/wait)`,
  'RUN chmod -R 700 /many; echo files $((1+1))',
].join('\n')

/** A build that is in the phase that was asked for. */
export interface RunningBuild extends AsyncDisposable {
  readonly root: string
  /** Directories of its control groups. */
  readonly groups: readonly string[]
  /** How its process has ended. */
  readonly end: Promise<readonly [code: number | null, signal: string | null]>
  /** False when it has ended before. */
  signal(name: NodeJS.Signals): boolean
  said(): string
  /** What is left of its steps after so many milliseconds at most. */
  stepsEnd(milliseconds: number): Promise<readonly string[]>
  /** The same of all processes. */
  everythingEnds(milliseconds: number): Promise<readonly string[]>
}

/** A registry with a base, and what is built on it: the same image each time. */
export class Site implements AsyncDisposable {
  readonly #directory: TemporaryDirectory
  readonly #registry: MemoryRegistry
  readonly #random = seededRandom(SEED)
  #roots = 0
  /** The digest of the image. */
  control = ''

  private constructor(directory: TemporaryDirectory, registry: MemoryRegistry) {
    this.#directory = directory
    this.#registry = registry
  }

  /** @param files of the base: unpacking them and looking through them takes a while */
  static async open(files: number): Promise<Site> {
    const directory = temporaryDirectory('interrupted')
    const site = new Site(directory, await MemoryRegistry.start())
    const busybox = readFileSync('/bin/busybox')
    const many = Array.from({ length: files }, (_, n) => [`many/${n % 50}/f${n}`, `${n}\n`])
    const entries = { Dockerfile: BASE, busybox, ...Object.fromEntries(many) }
    writeContext(directory.file('base'), entries)
    writeContext(directory.file('app'), { Dockerfile: DOCKERFILE })
    for (const wait of [0, 1000]) writeContext(directory.path, { [`wait-${wait}`]: `${wait}` })
    const name = `${site.#registry.host}/base:latest`
    await mustBuild(['-t', name, '--push', directory.file('base')], { root: site.newRoot() })
    site.control = await site.digest(site.newRoot())
    return site
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#registry[Symbol.asyncDispose]()
    this.#directory[Symbol.dispose]()
  }

  /** A store that does not exist yet. */
  newRoot(): string {
    this.#roots += 1
    return this.#directory.file(`store-${this.#roots}`)
  }

  /** Milliseconds from the begin of a phase to a random moment in it. */
  moment(phase: Phase): number {
    return this.#random() * SPREAD[phase]
  }

  /** A build with a step that takes so many seconds. */
  args(phase: Phase | undefined, wait: 0 | 1000): string[] {
    const { host } = this.#registry
    const settings = `name=${host}/app,rewrite-timestamp=true`
    const output = phase === 'push' ? `type=registry,${settings}` : `type=image,${settings}`
    return [
      ...['--build-arg', `BASE=${host}/base:latest`, '--build-arg', 'SOURCE_DATE_EPOCH=0'],
      ...['--network', 'none', '--secret', `id=wait,src=${this.#directory.file(`wait-${wait}`)}`],
      ...['--output', output, this.#directory.file('app')],
    ]
  }

  /** Builds to the end. @returns the digest of the image */
  async digest(root: string): Promise<string> {
    this.#registry.clearFaults()
    const { stderr } = await mustBuild(this.args(undefined, 0), { root })
    const digest = /^digest +(sha256:[0-9a-f]{64})$/m.exec(stderr)?.[1]
    assert.ok(digest, stderr)
    return digest
  }

  /** Starts a build in a store of its own, and waits until it is in that phase. */
  async begin(phase: Phase, wrap?: Start['wrap']): Promise<RunningBuild> {
    this.#hold(phase)
    const root = this.newRoot()
    const log = `${root}.log`
    const args = this.args(phase, phase === 'run' ? 1000 : 0)
    const seen = this.#registry.requests.length
    const child = startTsbuild(args, { root, wrap }, log)
    const build = buildOf(child, root, log)
    while (!this.#isIn(phase, { log, seen }) && child.exitCode === null) await delay(5)
    assert.equal(child.exitCode, null, `${phase}: ${build.said()}`)
    build.look()
    return build
  }

  #hold(phase: Phase): void {
    this.#registry.clearFaults()
    if (phase === 'pull') {
      const action = { kind: 'trickle', bytes: 1000, pause: 20 } as const
      this.#registry.fail({ method: 'GET', path: /blobs/, times: 100, action })
    }
    if (phase === 'push') {
      this.#registry.fail({ method: 'PATCH', times: 100, action: { kind: 'stall' } })
      this.#registry.fail({ method: 'PUT', path: /blobs/, times: 100, action: { kind: 'stall' } })
    }
  }

  #isIn(phase: Phase, { log, seen }: { readonly log: string; readonly seen: number }): boolean {
    // A terminal ends lines with two characters.
    const said = (text: RegExp): boolean => existsSync(log) && text.test(readFileSync(log, 'utf8'))
    const asked = (method: string): boolean =>
      this.#registry.requests
        .slice(seen)
        .some((request) => request.method === method && request.url.includes('/blobs/'))
    switch (phase) {
      case 'run':
        return said(/ step 2\r?\n/)
      case 'diff':
        return said(/ files 2\r?\n/)
      case 'push':
        return asked('POST')
      default:
        return asked('GET')
    }
  }
}

/** @returns a handle whose processes are those at the last `look` */
function buildOf(
  child: ChildProcess,
  root: string,
  log: string,
): RunningBuild & { readonly look: () => void } {
  const end = once(child, 'exit') as unknown as RunningBuild['end']
  const pid = child.pid ?? 0
  let tree: readonly ProcessId[] = []
  let namespaces: ReadonlySet<string> = new Set()
  let groups: readonly string[] = []
  return {
    root,
    end,
    get groups() {
      return groups
    },
    look: () => {
      tree = processTree(pid)
      namespaces = foreignPidNamespaces(tree)
      groups = tree.flatMap((found) => groupsOf(found.pid))
    },
    signal: (name) => child.exitCode === null && child.kill(name),
    said: () => readFileSync(log, 'utf8'),
    stepsEnd: (milliseconds) => untilEmpty(() => survivors([], namespaces), milliseconds),
    everythingEnds: (milliseconds) => untilEmpty(() => survivors(tree, namespaces), milliseconds),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await end
    },
  }
}
