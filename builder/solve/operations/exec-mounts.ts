import { Buffer } from 'node:buffer'
import { closeSync, constants, fchmodSync, fchownSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import type {
  BindMountPlan,
  CacheMountPlan,
  ExecVertex,
  PlannedMount,
  SecretMountPlan,
  SshMountPlan,
} from '#builder/plan'
import type { Snapshotter, View } from '#builder/snapshot'
import type { CacheMountRequest, OpenCacheMounts, Store } from '#cache'
import {
  errnoOf,
  type Json,
  MORE_IDS,
  type Mount,
  Resources,
  TsbuildError,
  unreachable,
} from '#core'
import type { WorkPool } from '../work/work-pool.ts'

/** What opening mounts needs. */
export interface MountDeps {
  readonly store: Store
  readonly pool: WorkPool
  readonly secrets: StepSecrets
  /** `undefined`: cache mounts stay on this machine. */
  readonly mountSharing?: MountSharing | undefined
  readonly signal: AbortSignal | undefined
}

/** Shares cache mounts with other machines. */
export interface MountSharing {
  /** Fills an empty directory, or puts another one in its place; false: there is nothing for it. */
  fill(identity: Json, directory: string): Promise<boolean>
  /** Takes note of a mount that a step has. */
  use(identity: Json, label: string): void
}

/** Secrets and agents of steps: no key, record or event contains them. */
export interface StepSecrets {
  /** @returns `undefined` without a secret of this name */
  readonly secret: (id: string, signal?: AbortSignal | undefined) => Promise<Uint8Array | undefined>
  /** @returns the agent's side of a connection; `undefined` without an agent of this name */
  readonly agent: (
    id: string,
    signal?: AbortSignal | undefined,
  ) => Promise<((connection: Socket) => void) | undefined>
}

/** Files that mounts show a part of. */
export interface MountSource {
  readonly key: string
  /** Their layers as directories, topmost first. */
  readonly lower: () => Promise<readonly string[]>
}

/** What the mounts of a step are made of. */
export interface MountInputs {
  /** For each source of the vertex what it stands for; `undefined` is the empty stage. */
  readonly sources: readonly (MountSource | undefined)[]
  /** Shows layers. */
  readonly snapshotter: Pick<Snapshotter, 'view'>
  /** How paths begin that nothing is at, for what is dropped after the step. */
  readonly scratch: string
  /** `dropped`: what is written to cache mounts is. Default: it is kept. */
  readonly caches?: 'kept' | 'dropped'
}

/** The mounts of a step as the sandbox takes them, until they are disposed of. */
export interface OpenMounts extends AsyncDisposable {
  readonly mounts: readonly Mount[]
  /** Directories of the layers that they show. */
  readonly layers: readonly string[]
  /** `KEY=value` of secrets. */
  readonly env: readonly string[]
  /** What its output must not show. */
  readonly secrets: readonly Uint8Array[]
  readonly onConnect: (target: string, connection: Socket) => void
}

/** Opens the mounts of a step. @throws {TsbuildError} NOT_FOUND, CANCELLED, NO_SPACE, STEP_FAILED */
export async function openMounts(
  vertex: Pick<ExecVertex, 'mounts' | 'fresh'>,
  inputs: MountInputs,
  deps: MountDeps,
): Promise<OpenMounts> {
  if (vertex.mounts.length === 0) return NO_MOUNTS
  await using stack = new Resources()
  const caches = vertex.mounts.filter((mount) => mount.kind === 'cache')
  // What a comment has executed in every build would never find anything in its mounts.
  const isFresh = vertex.fresh === 'flag'
  const opened = stack.use(await openCaches(caches, { ...inputs, isFresh }, deps))
  const mounts: Mount[] = []
  const layers: string[] = []
  const env: string[] = []
  const secrets: Uint8Array[] = []
  const agents = new Map<string, (connection: Socket) => void>()
  for (const [index, planned] of vertex.mounts.entries()) {
    const context = { index, inputs, opened, caches, deps, layers, env, secrets, agents, stack }
    mounts.push(...(await toMounts(planned, context)))
  }
  const held = stack.move()
  return {
    ...{ mounts, layers, env, secrets },
    onConnect: (target, connection) => agents.get(target)?.(connection),
    [Symbol.asyncDispose]: () => held[Symbol.asyncDispose](),
  }
}

const NO_MOUNTS: OpenMounts = {
  ...{ mounts: [], layers: [], env: [], secrets: [], onConnect: () => undefined },
  [Symbol.asyncDispose]: async () => undefined,
}

/** What the mount of a step is made with. */
interface MountContext {
  /** Of the mount in the step. */
  readonly index: number
  readonly inputs: MountInputs
  readonly caches: readonly CacheMountPlan[]
  readonly opened: OpenCacheMounts
  readonly deps: MountDeps
  /** Takes the layers that are shown, as `stackTree` does. */
  readonly layers: string[]
  /** Takes variables. */
  readonly env: string[]
  /** Takes what secrets are. */
  readonly secrets: Uint8Array[]
  /** Takes agents, by target. */
  readonly agents: Map<string, (connection: Socket) => void>
  /** Takes what has to stay open as long as the step runs. */
  readonly stack: Resources
}

/** None for a secret that is only a variable, and for what is absent and not required. */
async function toMounts(planned: PlannedMount, context: MountContext): Promise<readonly Mount[]> {
  switch (planned.kind) {
    case 'bind':
      return [await bindMount(planned, context)]
    case 'cache':
      return [await cacheMount(planned, context)]
    case 'tmpfs': {
      const { target, size, readonly, owned = false } = planned
      return [{ type: 'tmpfs', target, readonly, owned, ...(size === undefined ? {} : { size }) }]
    }
    case 'script': {
      const content = Buffer.from(planned.content)
      const { target } = planned
      return [{ type: 'file', target, content, isPublic: true, uid: 0, gid: 0, mode: 0o755 }]
    }
    case 'secret':
      return secretMounts(planned, context)
    case 'ssh':
      return agentMounts(planned, context)
    default:
      return unreachable(planned)
  }
}

async function cacheMount(planned: CacheMountPlan, context: MountContext): Promise<Mount> {
  const { target, readonly, path, owned = false } = planned
  const source = context.opened.paths[context.caches.indexOf(planned)]
  if (source === undefined) throw new Error('a cache mount was not opened')
  if (context.inputs.caches !== 'dropped') {
    return { type: 'bind', target, source, readonly, path, owned, labelled: true }
  }
  return { ...(await view([source], !readonly || owned, context)), target, path, readonly, owned }
}

async function secretMounts(
  { id, target, env, required, owner }: SecretMountPlan,
  context: MountContext,
): Promise<readonly Mount[]> {
  const content = await context.deps.secrets.secret(id, context.deps.signal)
  if (content === undefined) {
    if (!required) return []
    throw new TsbuildError(`secret ${id}: not found`, {
      code: 'NOT_FOUND',
      hint: `give it: --secret id=${id},src=FILE or --secret id=${id},env=VARIABLE`,
    })
  }
  context.secrets.push(content)
  if (env !== undefined) context.env.push(`${env}=${Buffer.from(content).toString()}`)
  return target === undefined ? [] : [{ type: 'file', target, content, ...owner }]
}

async function agentMounts(
  { id, target, required, owner }: SshMountPlan,
  { deps, agents }: MountContext,
): Promise<readonly Mount[]> {
  const agent = await deps.secrets.agent(id, deps.signal)
  if (agent === undefined) {
    if (!required) return []
    throw new TsbuildError(`unset ssh forward key ${id}`, {
      code: 'NOT_FOUND',
      hint: `give it: --ssh ${id}, or --ssh ${id}=FILE for a key of your own`,
    })
  }
  agents.set(target, agent)
  return [{ type: 'socket', target, ...owner }]
}

/** What is written to it is dropped after the step. */
async function bindMount(planned: BindMountPlan, context: MountContext): Promise<Mount> {
  const { target, path, readonly, owned = false } = planned
  const lower = await lowersIn(context.inputs.sources[planned.source])
  context.layers.push(...lower)
  return { ...(await view(lower, !readonly || owned, context)), target, path, readonly, owned }
}

async function view(
  lower: readonly string[],
  writable: boolean,
  { index, inputs, deps, stack }: MountContext,
): Promise<View['mount']> {
  const options = { writable, signal: deps.signal }
  return stack.use(await inputs.snapshotter.view(`${inputs.scratch}-${index}`, lower, options))
    .mount
}

async function lowersIn(source: MountSource | undefined): Promise<readonly string[]> {
  return source === undefined ? [] : await source.lower()
}

/** Those of a step that is executed although its result may be known begin anew. */
function openCaches(
  caches: readonly CacheMountPlan[],
  { sources, isFresh }: Pick<MountInputs, 'sources'> & { readonly isFresh: boolean },
  deps: MountDeps,
): Promise<OpenCacheMounts> {
  const requests = caches.map((cache): CacheMountRequest => {
    const { id, owner, sharing } = cache
    const source = cache.source === undefined ? undefined : sources[cache.source]
    const from = source?.key ?? null
    const identity = { id, from, owner: owner === undefined ? null : { ...owner } }
    deps.mountSharing?.use(identity, id)
    const fill = async (directory: string): Promise<void> => {
      const isShared = !isFresh && (await deps.mountSharing?.fill(identity, directory)) === true
      await fillCache(directory, { cache, source: isShared ? undefined : source }, deps)
    }
    return { label: id, identity, sharing, isFresh, fill }
  })
  return deps.store.mounts.open(requests, { signal: deps.signal })
}

async function fillCache(
  directory: string,
  { cache, source }: { readonly cache: CacheMountPlan; readonly source: MountSource | undefined },
  deps: MountDeps,
): Promise<void> {
  const { pool, signal } = deps
  const lowers = await lowersIn(source)
  if (lowers.length > 0) {
    await pool.run(
      'unpackTrees',
      { trees: [{ lowers, folder: '' }], dest: directory, format: 'owned' },
      signal,
    )
    if (cache.owner === undefined) return
  }
  const { uid, gid, mode } = cache.owner ?? { uid: 0, gid: 0, mode: 0o755 }
  // By its descriptor, since an error would name the path of a temporary directory.
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fchownSync(descriptor, uid, gid)
    fchmodSync(descriptor, mode)
  } catch (cause) {
    if (errnoOf(cause) !== 'EINVAL') throw cause
    throw new TsbuildError(
      `mount ${cache.target} for ${uid}:${gid}: this user namespace lacks these ids`,
      {
        code: 'STEP_FAILED',
        hint: MORE_IDS,
        cause,
      },
    )
  } finally {
    closeSync(descriptor)
  }
}
