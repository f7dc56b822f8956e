import { join } from 'node:path'
import { hasOwnersBeside, ownersBeside } from '#builder/layer'
import { fileRights } from '#builder/linux'
import type { ExecVertex, Plan, Vertex, VertexId } from '#builder/plan'
import type { ExitStatus, Sandbox } from '#builder/sandbox'
import { createWritable } from '#builder/snapshot'
import type { CacheKey, Store } from '#cache'
import {
  type Digest,
  formatOwnedFiles,
  MORE_IDS,
  type Mount,
  type Platform,
  STEP_PROCESSES,
  type StepResources,
  TsbuildError,
} from '#core'
import { execKey, type KeyedStep } from '../keys/vertex-key.ts'
import { isStep, sourcesOf } from '../keys/vertex-kind.ts'
import type { Layer } from '../layers/layer.ts'
import { directoriesOf } from '../layers/stack.ts'
import type { Reporter } from '../report/reporter.ts'
import type { WorkPool } from '../work/work-pool.ts'
import { checkEmulator } from './emulator.ts'
import { openMounts, type StepSecrets } from './exec-mounts.ts'
import { type FileSelection, mountSelection } from './file-selection.ts'
import type { StepOperation, StepWork } from './operation.ts'
import type { StepOutcome } from './result.ts'

/** What running a process needs. */
export interface ExecDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly secrets: StepSecrets
  readonly sandbox: () => Promise<Sandbox>
  readonly reporter: Reporter
  readonly host: Platform
  readonly signal: AbortSignal | undefined
}

/** RUN: what a process leaves behind. */
export class ExecOperation implements StepOperation {
  readonly kind = 'step'
  readonly vertex: ExecVertex
  readonly inputs: readonly VertexId[]
  readonly selection: FileSelection | undefined
  readonly isByContent = false
  readonly #deps: ExecDeps

  /** @param plan has the kinds of the sources */
  constructor(vertex: ExecVertex, plan: Plan, deps: ExecDeps) {
    this.vertex = vertex
    this.inputs = sourcesOf(vertex)
    // The key of a step says what was done: another key may stand for the same files.
    const isDefined = this.inputs.every((id) => !isNamedStep(plan.vertices.get(id)))
    this.selection = isDefined ? undefined : mountSelection(vertex)
    this.#deps = deps
  }

  definitionKey(root: CacheKey | undefined, inputs: readonly CacheKey[]): KeyedStep {
    return execKey(this.vertex, root, inputs.length === 0 ? undefined : { definition: inputs })
  }

  contentKey(root: CacheKey | undefined, content: Digest): KeyedStep {
    return execKey(this.vertex, root, { content })
  }

  family(_root: CacheKey | undefined, definition: KeyedStep | undefined): CacheKey {
    if (definition === undefined) throw new Error('a RUN step is always known by definition')
    return definition.key
  }

  resultKey(_root: CacheKey | undefined, own: CacheKey): CacheKey {
    return own
  }

  run({ root, sources, step }: StepWork): Promise<StepOutcome> {
    if (step === undefined) throw new Error('a RUN step is always known by definition')
    const below = root?.layers.map(({ layer }) => layer) ?? []
    return runExec(this.vertex, { below, sources, step }, this.#deps)
  }
}

function isNamedStep(vertex: Vertex | undefined): boolean {
  return vertex !== undefined && isStep(vertex) && vertex.internal !== true
}

interface ExecWork {
  readonly below: readonly Layer[]
  readonly sources: StepWork['sources']
  readonly step: KeyedStep
}

/** Runs the process on a fresh directory over the layers below, and keeps what it left there. */
async function runExec(vertex: ExecVertex, work: ExecWork, deps: ExecDeps): Promise<StepOutcome> {
  const { store, reporter, signal } = deps
  await using temporary = store.temporary()
  const machine = { platform: deps.host, scratch: join(temporary.path, 'probe') }
  checkEmulator(vertex.platform, machine)
  const [sandbox, lower] = await Promise.all([deps.sandbox(), directoriesOf(work.below, deps)])
  const writable = createWritable(join(temporary.path, 'overlay'), lower)
  const inputs = { sources: work.sources, scratch: temporary.path }
  await using opened = await openMounts(vertex, inputs, deps)
  for (const warning of vertex.warnings) reporter.warning(vertex, warning)
  const { args, env, proxyEnv, settings, ...common } = vertex.process
  const { extraHosts, shmSize, ulimits, resources, cgroupParent } = settings
  const mounts: [Mount, ...Mount[]] = [
    { type: 'overlay', target: '/', lower, writable },
    ...opened.mounts,
  ]
  const seen = mounts.flatMap((mount) => (mount.type === 'overlay' ? mount.lower : []))
  const { givesOwners } = fileRights()
  if (!givesOwners) reportOwners(vertex, seen, reporter)
  // Loaded with the sandbox: a build without RUN needs neither.
  const { run } = await import('#builder/sandbox')
  const { exitCode, reached } = await run(
    sandbox,
    {
      ...common,
      args,
      env: [...withProxies(env, proxyEnv), ...opened.env],
      mounts,
      init: true,
      ...{ extraHosts, shmSize, ulimits, resources, cgroupParent },
    },
    {
      signal,
      onOutput: (stream, data) => reporter.output(vertex, stream, data),
      onConnect: opened.onConnect,
    },
  )
  if (exitCode !== 0) {
    throw new TsbuildError(
      `process ${JSON.stringify(args.join(' '))} did not complete successfully: exit code: ${exitCode}`,
      { code: 'STEP_FAILED', hint: hintFor(exitCode, reached, resources) },
    )
  }
  const { maxMtime } = vertex
  if (maxMtime !== undefined) {
    await deps.pool.run('clampTimes', { directory: writable.upper, maxMtime }, signal)
  }
  if (!givesOwners && hasOwnersBeside(seen)) {
    await deps.pool.run('keepOwners', { directory: writable.upper, lowers: lower }, signal)
  }
  const { id } = await store.layers.commitDirectory(writable.upper)
  return { step: work.step, layer: id }
}

/** Warns that a step sees other owners than the image has, and may do something else for it. */
function reportOwners(vertex: ExecVertex, seen: readonly string[], reporter: Reporter): void {
  const files = ownersBeside([...new Set(seen)], 'all')
  if (files === undefined) return
  const named = formatOwnedFiles(files)
  reporter.warnOnce(
    'owners',
    vertex,
    `there is one user id only, so steps see files of other owners as root's: ${named} (${MORE_IDS})`,
  )
}

/** Proxies given to the builder override those of the image. */
function withProxies(env: readonly string[], proxies: readonly string[]): readonly string[] {
  const nameOf = (entry: string): string => entry.slice(0, entry.indexOf('='))
  const given = new Set(proxies.map(nameOf))
  return [...env.filter((entry) => !given.has(nameOf(entry))), ...proxies]
}

function hintFor(
  exitCode: number,
  reached: ExitStatus['reached'],
  { pids }: StepResources,
): string | undefined {
  if (reached === 'memory') return 'it needed more memory than it may have: raise --memory'
  if (reached === 'pids') {
    return `it started more processes than it may (${pids ?? STEP_PROCESSES}): raise --pids-limit, or take it away with -1`
  }
  switch (exitCode) {
    case 126:
      return 'the program was found but cannot be executed: check its mode and its platform'
    case 127:
      return 'a program was not found: is it installed in this stage, and is PATH right?'
    case 137:
      return 'the process was killed, most often because memory ran out'
    default:
      return undefined
  }
}
