import { posix } from 'node:path'
import type { RunInstruction, RunMount, Word } from '#parser'
import { resolvePath } from '../stage/paths.ts'
import type { StagePlan } from '../stage/stage-plan.ts'
import { type StageState, workingDirectory } from '../stage/stage-state.ts'
import { expandWith } from '../variables/expand.ts'
import type { MountOwner, PlannedMount } from '../vertices/planned-mount.ts'
import type { VertexId, VertexSource } from '../vertices/vertex.ts'
import { CONTEXT_FILES } from '../vertices/vertex-list.ts'
import { type MountFields, mountError, readMountFields } from './mount-fields.ts'

/** The planned mounts of one RUN. */
export interface PlannedMounts {
  readonly sources: readonly VertexSource[]
  /** Parents before what is mounted into them. */
  readonly mounts: readonly PlannedMount[]
  /** Fields without an effect. */
  readonly warnings: readonly string[]
}

/**
 * Checks and places the mounts of a RUN.
 * @throws {SourceError} DOCKERFILE_INVALID
 */
export function planMounts(
  state: StageState,
  instruction: RunInstruction,
  plan: StagePlan,
): PlannedMounts {
  const sources: VertexSource[] = []
  const expand = (word: Word): string => expandWith(word, state.scope)
  const warnings: string[] = []
  let sshCount = 0
  const mounts = instruction.mounts.map((mount): PlannedMount => {
    const fields = readMountFields(mount, expand)
    if (fields.relabel) warnings.push(NO_LABELS)
    const context: MountContext = { mount, fields, sources, state, plan }
    switch (fields.type) {
      case 'tmpfs': {
        const { size, readonly } = fields
        return { kind: 'tmpfs', target: targetOf(context), size, readonly, ...ownedOf(fields) }
      }
      case 'secret':
        return planSecret(context)
      case 'ssh':
        return planSsh(context, sshCount++)
      case 'cache':
        return planCache(context)
      default:
        return planBind(context)
    }
  })
  return { sources, mounts: inOrder(mounts), warnings: [...new Set(warnings)] }
}

const NO_LABELS = 'z and Z of --mount change nothing: files of a build have no labels of SELinux'

/** The context in which one mount is planned. */
interface MountContext {
  readonly mount: RunMount
  readonly fields: MountFields
  /** Receives the source of the mount. */
  readonly sources: VertexSource[]
  readonly state: StageState
  readonly plan: StagePlan
}

/** Deeper mounts come later: otherwise the outer ones would hide them. */
export function inOrder(mounts: readonly PlannedMount[]): readonly PlannedMount[] {
  const depth = ({ target }: PlannedMount): number => target?.split('/').length ?? 0
  return mounts.toSorted((a, b) => depth(a) - depth(b))
}

function planBind(context: MountContext): PlannedMount {
  const { fields, mount, plan } = context
  const target = targetOf(context)
  const path = resolvePath('/', fields.source)
  const common = { kind: 'bind', target, readonly: fields.readonly, ...ownedOf(fields) } as const
  if (fields.from === '') {
    const vertex = plan.vertices.contextFiles(path, mount.raw.range)
    return { ...common, source: addSource(context, vertex), path: CONTEXT_FILES }
  }
  return { ...common, ...filesOf(context, path) }
}

function planCache(context: MountContext): PlannedMount {
  const { fields, plan } = context
  const { id, sharing = 'shared', readonly, uid, gid, mode } = fields
  const path = resolvePath('/', fields.source)
  const namespace = plan.options.globals.buildArgs.get('BUILDKIT_CACHE_MOUNT_NS') ?? ''
  return {
    kind: 'cache',
    target: targetOf(context),
    id: `${namespace}/${id === '' ? cleaned(fields.target) : id}`,
    sharing,
    readonly,
    ...ownedOf(fields),
    ...(fields.from === '' ? { source: undefined, path } : filesOf(context, path)),
    owner: [uid, gid, mode].every((one) => one === undefined) ? undefined : ownerOf(fields, 0o755),
  }
}

function planSecret(context: MountContext): PlannedMount {
  const { fields } = context
  const id = fields.source || fields.id || posix.basename(fields.target)
  const isFile = fields.env === undefined || fields.target !== ''
  const target = fields.target === '' ? `/run/secrets/${posix.basename(id)}` : targetOf(context)
  return {
    kind: 'secret',
    id,
    target: isFile ? target : undefined,
    env: fields.env === undefined ? undefined : fields.env || id,
    required: fields.required,
    owner: ownerOf(fields, 0o400),
  }
}

function planSsh(context: MountContext, count: number): PlannedMount {
  const { fields } = context
  return {
    kind: 'ssh',
    id: fields.id || 'default',
    target: fields.target === '' ? `/run/buildkit/ssh_agent.${count}` : targetOf(context),
    required: fields.required,
    owner: ownerOf(fields, 0o600),
  }
}

function ownerOf({ uid = 0, gid = 0, mode }: MountFields, defaultMode: number): MountOwner {
  return { uid, gid, mode: (mode ?? defaultMode) & 0o7777 }
}

function ownedOf({ owned }: MountFields): { readonly owned?: true } {
  return owned ? { owned } : {}
}

/** Relative to the working directory, which also is what a mount without a target goes to. */
function targetOf({ fields, mount, state }: MountContext): string {
  const target = resolvePath(workingDirectory(state), fields.target)
  if (target === '/') throw mountError(mount.raw, `invalid mount target "${target}"`)
  return target
}

/** The name of a cache without an id: its target as written. */
function cleaned(target: string): string {
  const normal = posix.normalize(target)
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal
}

/** The source that `from` names; of a folder, only the mounted path is copied. */
function filesOf(
  context: MountContext,
  path: string,
): { readonly source: number; readonly path: string } {
  const { fields, mount, plan } = context
  const { range } = mount.raw
  const source = plan.linked.sources.get(mount.raw)
  if (source === undefined) throw new Error(`from=${fields.from} was not linked`)
  const name = source.kind === 'image' ? source.context : undefined
  if (name !== undefined && plan.vertices.contextSource(name, range).kind === 'context') {
    const vertex = plan.vertices.contextFiles(path, range, name)
    return { source: addSource(context, vertex), path: CONTEXT_FILES }
  }
  return { source: addSource(context, plan.topOf(source, range)), path }
}

/** @returns its index */
function addSource({ sources }: MountContext, vertex: VertexId | undefined): number {
  const known = sources.findIndex((source) => source.vertex === vertex)
  return known >= 0 ? known : sources.push({ kind: 'vertex', vertex }) - 1
}
