import { join } from 'node:path'
import { type BuildOptions, resolveOptions } from '#builder/options'
import type { ExitStatus, RunningProcess } from '#builder/sandbox'
import type { Snapshot, Snapshotter } from '#builder/snapshot'
import { openMounts, processOf } from '#builder/solve'
import { openStore, type Store } from '#cache'
import { Resources, TsbuildError } from '#core'
import { findBuild, type RecordedSandbox, type RecordedStep, readBuilds } from '#record'
import { Services } from '../services.ts'
import { openSecrets } from '../step-secrets.ts'
import { type StoredForm, storedLayers } from './stored-layers.ts'

/** What is looked into, and how. */
export interface DebugOptions
  extends Pick<
    BuildOptions,
    'root' | 'isolation' | 'snapshotter' | 'secrets' | 'ssh' | 'onEvent' | 'signal'
  > {
  /** Ids, as records of builds have them. */
  readonly build: string
  readonly step: string
  /** The program and its arguments. Default: the shell of the step. */
  readonly args?: readonly string[]
  /** `KEY=value`, besides those of the step. */
  readonly env?: readonly string[]
  /** Show the files as they were before the step, also where it is kept what it has left. Default: false. */
  readonly before?: boolean
  /** The size of its terminal; absent: it has none, and its input is a pipe. */
  readonly terminal?: { readonly columns: number; readonly rows: number }
}

/** Serves a process that runs, until it has ended. */
export type ServeProcess = (process: RunningProcess) => Promise<ExitStatus>

/**
 * Starts a process in the sandbox of a step that was executed: with its mounts, environment, user, working
 * directory and limits, on the files that it saw, or that it left where it has failed. What the process changes is
 * dropped.
 * @throws {TsbuildError} NOT_FOUND where the build, the step or its files are not in the store any more, UNSUPPORTED,
 *   and as `Sandbox.start`
 */
export async function debugStep(options: DebugOptions, serve: ServeProcess): Promise<ExitStatus> {
  const settings = resolveOptions({ ...options, context: '.' })
  const secrets = await openSecrets(settings)
  await using store = openStore(settings.root)
  const { end, sandbox: recorded } = recordedStep(store, options)
  const kept = options.before === true ? undefined : store.builds.kept(options.build, options.step)
  if (end === 'failed' && options.before !== true && kept === undefined) {
    settings.onEvent({ type: 'warning', message: NOT_KEPT })
  }
  await using services = new Services(settings, { store, secrets, context: '' })
  const form = (await services.lowerForm()) === 'tar' ? 'any' : 'directory'
  const [sandbox, snapshots] = await Promise.all([services.sandbox(), services.snapshots()])
  await using scratch = store.temporary()
  return await snapshots.use(async (snapshotter) => {
    const directory = join(scratch.path, snapshotter.kind)
    const deps = { store, pool: services.pool, secrets, signal: options.signal }
    const inputs = { snapshotter, directory, kept, form, deps } as const
    await using files = await openFiles(recorded, inputs)
    const process = { ...recorded.process, proxyEnv: options.env ?? [] }
    const args = options.args ?? shellOf(recorded.process)
    const spec = processOf({ ...process, args }, files)
    const { signal, terminal } = options
    const { onConnect } = files.opened
    await using running = await sandbox.start(spec, { signal, onConnect, terminal, stdin: 'pipe' })
    return await serve(running)
  })
}

const NOT_KEPT = 'what the step has left is not in the store: the files are as they were before it'

/** @throws {TsbuildError} NOT_FOUND */
function recordedStep(
  { builds }: Store,
  { build, step }: DebugOptions,
): RecordedStep & { readonly sandbox: RecordedSandbox } {
  const { steps } = findBuild(build, readBuilds(builds))
  const found = steps.find(({ id }) => id === step)
  if (found?.sandbox !== undefined) return { ...found, sandbox: found.sandbox }
  const name = found?.name ?? step
  throw new TsbuildError(`no process of ${JSON.stringify(name)} was run in this build`, {
    code: 'NOT_FOUND',
    hint: 'a step can be looked into in a build that has executed it: build with --no-cache',
  })
}

interface FileInputs {
  readonly snapshotter: Snapshotter
  /** Where nothing is. */
  readonly directory: string
  /** What the step has left. */
  readonly kept: string | undefined
  readonly form: StoredForm
  readonly deps: Parameters<typeof openMounts>[2]
}

interface StepFiles extends AsyncDisposable {
  readonly root: Snapshot['root']
  readonly opened: Awaited<ReturnType<typeof openMounts>>
}

/** The root and the mounts of a step; what is written to them is dropped. */
async function openFiles(
  { lower, mounts, sources }: RecordedSandbox,
  { snapshotter, directory, kept, form, deps }: FileInputs,
): Promise<StepFiles> {
  await using resources = new Resources()
  const below = await storedLayers(deps.store, lower, form)
  const layers = [...(kept === undefined ? [] : [kept]), ...below]
  const snapshot = resources.use(await snapshotter.prepare(directory, layers, deps.signal))
  const inputs = {
    snapshotter,
    scratch: `${directory}-mount`,
    caches: 'dropped',
    sources: sources.map((source) => {
      if (source === null) return undefined
      return { key: source.key, lower: () => storedLayers(deps.store, source.lower, form) }
    }),
  } as const
  const opened = resources.use(await openMounts({ mounts }, inputs, deps))
  const held = resources.move()
  return {
    ...{ root: snapshot.root, opened },
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  }
}

/** The shell that the step itself is written for, where it is. */
function shellOf({ args }: RecordedSandbox['process']): readonly string[] {
  const [shell = DEFAULT_SHELL, flag] = args
  return [flag?.startsWith('-') === true && flag.endsWith('c') ? shell : DEFAULT_SHELL]
}

const DEFAULT_SHELL = '/bin/sh'
