import { join } from 'node:path'
import { hasOwnersBeside, ownersBeside } from '#builder/layer'
import { hasSingleId } from '#builder/linux'
import type { ExecVertex } from '#builder/plan'
import { type ExitStatus, run, type Sandbox } from '#builder/sandbox'
import { createWritable } from '#builder/snapshot'
import type { Store } from '#cache'
import {
  formatOwnedFiles,
  MORE_IDS,
  type Mount,
  type Platform,
  STEP_PROCESSES,
  type StepResources,
  TsbuildError,
} from '#core'
import type { KeyedStep } from '../keys/vertex-key.ts'
import type { Layer } from '../layers/layer.ts'
import { directoriesOf } from '../layers/stack.ts'
import type { Reporter } from '../report/reporter.ts'
import type { StepOutcome } from '../solver.ts'
import type { WorkPool } from '../work/work-pool.ts'
import { checkEmulator } from './emulator.ts'
import { openMounts, type StepSecrets } from './exec-mounts.ts'
import type { Result } from './result.ts'

export interface ExecDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly secrets: StepSecrets
  readonly sandbox: () => Promise<Sandbox>
  readonly reporter: Reporter
  readonly host: Platform
  readonly signal: AbortSignal | undefined
}

export interface ExecWork {
  readonly below: readonly Layer[]
  /** For each source of the vertex what it stands for; `undefined` is the empty stage. */
  readonly sources: readonly (Result | undefined)[]
  readonly step: KeyedStep
}

/** Runs the process on a fresh directory over the layers below, and keeps what it left there. */
export async function runExec(
  vertex: ExecVertex,
  work: ExecWork,
  deps: ExecDeps,
): Promise<StepOutcome> {
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
  if (hasSingleId()) reportOwners(vertex, seen, reporter)
  const createdAt = new Date()
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
  const { latest } = vertex
  if (latest !== undefined) {
    await deps.pool.run('clampTimes', { directory: writable.upper, latest }, signal)
  }
  if (hasSingleId() && hasOwnersBeside(seen)) {
    await deps.pool.run('keepOwners', { directory: writable.upper, lowers: lower }, signal)
  }
  const { id } = await store.layers.commitDirectory(writable.upper)
  return { step: work.step, layer: id, createdAt }
}

/** A step that sees other owners than the image has may do something else than elsewhere. */
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

/** What the builder is told of proxies wins over what the image says of them. */
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
