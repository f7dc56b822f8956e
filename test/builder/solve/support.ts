import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { assembleImage, type StepLayer } from '#builder/export'
import { Fetcher } from '#builder/fetch'
import {
  DEFAULT_STEP_SETTINGS,
  globalScope,
  type Plan,
  parseCacheFilter,
  planBuild,
  resolveGraph,
  type StepSettings,
} from '#builder/plan'
import type { ExitStatus, Sandbox } from '#builder/sandbox'
import { openSnapshots, type SnapshotsOptions } from '#builder/snapshot'
import {
  Gate,
  LayerWatch,
  Reporter,
  Solver,
  type StepTaker,
  scheduler,
  workPool,
} from '#builder/solve'
import { openStore, type ResultCache, type Store } from '#cache'
import {
  type BuildFact,
  type DiffId,
  type Digest,
  hostPlatform,
  parsePlatform,
  Spans,
  TsbuildError,
} from '#core'
import { parseDockerfile } from '#parser'
import { BuildRecorder } from '#record'
import { noContainer } from '../../../builder/sandbox/spec/no-container.ts'
import type { ProcessSpec } from '../../../builder/sandbox/spec/process-spec.ts'
import type { RunningProcess, StartOptions } from '../../../builder/sandbox/spec/sandbox.ts'
import { diffIdsOf } from '../../../builder/solve/layers/layer.ts'

/**
 * Understands scripts made of lines `write PATH TEXT`, `sleep MS` and `fail CODE`, and does them to
 * the upper directory: everything that the solver can see of a sandbox, without one.
 */
const NOTHING = { processor: 0, largestProcess: 0 }

/** Makes `$SERIAL` another text each time. */
let serial = 0

class ScriptedSandbox implements Sandbox {
  /** Scripts in the order in which they were started. */
  readonly started: string[] = []
  /** How many ran at once, at the most. */
  peak = 0
  #running = 0

  async start(spec: ProcessSpec, { signal }: StartOptions = {}): Promise<RunningProcess> {
    const end = this.#perform(spec, signal)
    end.catch(() => undefined)
    return {
      stdin: undefined,
      stdout: Readable.from([]),
      stderr: Readable.from([]),
      signal: () => undefined,
      resize: () => undefined,
      pid: 0,
      exec: () => Promise.reject(new Error('scripts are alone')),
      ...noContainer('scripts are not containers'),
      wait: () => end,
      [Symbol.asyncDispose]: async () => {
        await end.catch(() => undefined)
      },
    }
  }

  async openRoot(): Promise<never> {
    throw new Error('scripts have no root')
  }

  async #perform(spec: ProcessSpec, signal: AbortSignal | undefined): Promise<ExitStatus> {
    const script = spec.args.at(-1) ?? ''
    this.started.push(script)
    this.peak = Math.max(this.peak, ++this.#running)
    try {
      const [root] = spec.mounts
      if (root.type !== 'overlay' || root.writable === undefined) throw new Error('no upper')
      for (const line of script.split(';')) {
        const [verb = '', what = '', ...rest] = line.trim().split(' ')
        if (verb === 'write')
          write(join(root.writable.upper, what), rest.join(' ').replace('$SERIAL', `${serial++}`))
        if (verb === 'sleep') await pause(Number(what), signal)
        if (verb === 'fail') return { exitCode: Number(what), used: NOTHING }
      }
      return { exitCode: 0, used: NOTHING }
    } finally {
      this.#running--
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal })
  } catch (cause) {
    throw new TsbuildError('step cancelled', { code: 'CANCELLED', cause })
  }
}

export interface Bench extends Disposable {
  /** Puts a file into the context. */
  put(path: string, text: string): void
  /** A path of the context. */
  path(name: string): string
  solve(dockerfile: string, options?: SolveRequest): Promise<Solved>
}

export interface SolveRequest {
  readonly noCache?: boolean
  /** Filters as the user writes them. */
  readonly fresh?: readonly string[]
  /** Default: this machine's, which then pretends to be one of these. */
  readonly platform?: string
  readonly steps?: Partial<StepSettings>
  readonly network?: 'default' | 'none' | 'host'
  readonly secrets?: Readonly<Record<string, string>>
  /** Milliseconds. */
  readonly sourceDateEpoch?: number
  readonly jobs?: number
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Layers of the image that are elsewhere are fetched. Default: true. */
  readonly needsBytes?: boolean
  readonly taker?: StepTaker
}

export interface Solved {
  readonly diffIds: readonly DiffId[]
  readonly imageId: Digest
  readonly ran: readonly string[]
  readonly peak: number
  readonly events: readonly BuildFact[]
  /** Names of the steps that came out of the cache. */
  readonly cached: readonly string[]
  /** The last step of the image. */
  readonly top: { readonly key: string | undefined; readonly isCached: boolean }
}

/** The results that solvers on one store share. */
export type ResultsOf = (store: Store) => ResultCache

/** A context and a store in a folder of their own; `resultsOf` says where results are cached. */
export function bench(resultsOf: ResultsOf = ({ results }) => results): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'tsbuild-solve-'))
  const context = join(folder, 'context')
  mkdirSync(context)
  return {
    put: (path, text) => write(join(context, path), text),
    path: (name) => join(context, name),
    solve: (text, request = {}) => solve(text, { folder, context, request, resultsOf }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** What a `ScriptedSandbox` writes to. */
const OVERLAY: SnapshotsOptions = {
  choice: 'overlay',
  size: undefined,
  memory: { recall: () => undefined, remember: () => undefined },
  scratch: () => assert.fail('an overlay needs no directories of its own'),
  work: {
    copyUpper: () => assert.fail('an overlay is not copied'),
    adoptFuseUpper: () => assert.fail('an overlay is in overlay form'),
  },
  onChoice: () => undefined,
  onNotice: () => undefined,
}

async function solve(
  text: string,
  place: {
    readonly folder: string
    readonly context: string
    readonly request: SolveRequest
    readonly resultsOf: ResultsOf
  },
): Promise<Solved> {
  const { request } = place
  const { jobs = 2, buildArgs = {}, signal, needsBytes = true, taker } = request
  const { dockerfile } = parseDockerfile(text)
  const { platform } = request
  const targetPlatform = platform === undefined ? hostPlatform() : parsePlatform(platform)
  const globals = globalScope(dockerfile, { buildArgs, targetPlatform, target: undefined })
  const { graph, bases } = await resolveGraph(dockerfile, {
    globals,
    target: undefined,
    targetPlatform,
    resolve: async (name) => {
      throw new Error(`these stages are all from scratch, not from ${name}`)
    },
  })
  const {
    noCache = false,
    fresh = [],
    network = 'default',
    secrets = {},
    sourceDateEpoch,
  } = request
  const plan = planBuild(graph, bases, {
    ...{ globals, targetPlatform, network, labels: {}, sourceDateEpoch },
    steps: { ...DEFAULT_STEP_SETTINGS, ...request.steps },
    fresh: noCache ? 'all' : fresh.map(parseCacheFilter),
  })
  await using store = openStore(join(place.folder, 'store'))
  const gate = new Gate()
  await using pool = workPool(2, gate)
  await using fetcher = new Fetcher({ store, environment: process.env })
  await using sandbox = new ScriptedSandbox()
  await using snapshots = openSnapshots(OVERLAY)
  const events: BuildFact[] = []
  const onEvent = (event: BuildFact): void => void events.push(event)
  const reporter = new Reporter(onEvent)
  const solver = new Solver(plan, {
    store,
    results: place.resultsOf(store),
    pool,
    watch: new LayerWatch({ store, pool, gate }),
    lowerForm: async () => 'directory',
    sandbox: async () => sandbox,
    snapshots: async () => snapshots,
    fetcher: () => fetcher,
    secrets: { secret: async (id) => bytesOf(secrets[id]), agent: async () => undefined },
    schedule: scheduler(jobs),
    spans: new Spans(onEvent),
    context: { kind: 'context', directory: place.context, ignore: '' },
    host: targetPlatform,
    reporter,
    recorder: new BuildRecorder(store.builds, {
      ...{ context: place.context, dockerfile: 'Dockerfile', target: undefined, tags: [] },
      startedAt: Date.now(),
    }),
    wantsTars: true,
    onTar: () => undefined,
    onBase: () => undefined,
    onMiss: () => undefined,
    onExecute: () => undefined,
    isNeeded: () => needsBytes,
    taker,
    signal,
  })
  const layers = await solver.solve()
  const diffIds = await diffIdsOf(layers.map(({ layer }) => layer))
  const vertices = [...plan.vertices.values()].filter(({ id }) => reporter.isCached(id))
  const cached = vertices.map(({ name }) => name)
  const imageId = imageIdOf(plan, layers, diffIds)
  const { started: ran, peak } = sandbox
  return { diffIds, imageId, ran, peak, events, cached, top: topOf(plan, events) }
}

function topOf({ image: { top } }: Plan, events: readonly BuildFact[]): Solved['top'] {
  const end = events.findLast((event) => {
    return (event.type === 'done' || event.type === 'cached') && event.vertex === top
  })
  const key = end !== undefined && 'key' in end ? end.key : undefined
  return { key, isCached: end?.type === 'cached' }
}

function bytesOf(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : Buffer.from(text)
}

function imageIdOf(
  { image }: Plan,
  layers: Awaited<ReturnType<Solver['solve']>>,
  diffIds: readonly DiffId[],
): Digest {
  const steps = diffIds.flatMap((diffId, index): readonly StepLayer[] => {
    const made = layers[index]
    if (made === undefined) return []
    const { vertex, layer } = made
    return [
      { diffId, vertex, createdAt: layer.createdAt, size: 1, blob: undefined, origin: undefined },
    ]
  })
  return assembleImage(image, steps, { defaultCreatedAt: new Date(0) }).id
}
