import { gitSourceName, httpSourceName } from '#builder/fetch'
import type { FileAction } from '#builder/files'
import type { ExecVertex, FilesSource, FilesVertex, PlannedMount, Vertex } from '#builder/plan'
import { type JsonObject, type Platform, unreachable } from '#core'

/** A step as a node of a graph: what it does, in the terms of BuildKit's LLB, and what it uses. */
export interface StepOp {
  readonly op: JsonObject
  /** In the order that the operation counts them in; of files of the client by the name of the folder. */
  readonly inputs: readonly StepInput[]
  readonly platform: Platform | undefined
}

/** The result of another vertex, or a folder of the client. */
export type StepInput =
  | { readonly kind: 'vertex'; readonly vertex: string }
  | { readonly kind: 'local'; readonly name: string }

/** Spec: BuildKit, solver/pb/ops.proto, MountType */
const MOUNT_TYPES = { bind: 0, script: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const
/** No input: the empty file system. */
const NOTHING = -1

/** What a vertex does. */
export function stepOp(vertex: Vertex): StepOp {
  switch (vertex.op) {
    case 'image': {
      const { name, config } = vertex.base
      return source(imageIdentifier(name), config.platform)
    }
    case 'http': {
      const { checksum } = vertex.source
      const attrs = checksum === undefined ? {} : { 'http.checksum': checksum }
      return source(httpSourceName(vertex.source), undefined, attrs)
    }
    case 'git':
      return source(
        `git://${gitSourceName(vertex.source).replace(/^[a-z]+:\/\//, '')}`,
        undefined,
        {
          'git.fullurl': vertex.source.remote,
        },
      )
    case 'files':
      return filesOp(vertex)
    case 'exec':
      return execOp(vertex)
    default:
      return unreachable(vertex)
  }
}

/** The operation that brings a folder of the client. */
export function localOp(name: string): JsonObject {
  return { source: { identifier: `local://${name}` } }
}

function imageIdentifier(name: string): string {
  return name.startsWith('oci-layout://')
    ? `oci-layout://${name.slice(name.lastIndexOf('/') + 1)}`
    : `docker-image://${name}`
}

function source(
  identifier: string,
  platform: Platform | undefined,
  attrs: Readonly<Record<string, string>> = {},
): StepOp {
  const known = Object.keys(attrs).length === 0 ? {} : { attrs }
  return { op: { source: { identifier, ...known } }, inputs: [], platform }
}

/** Inputs of a vertex, each once, the root first. */
class Inputs {
  readonly list: StepInput[] = []

  /** The position of an input; `NOTHING` for the empty stage. */
  add(input: StepInput | undefined): number {
    if (input === undefined) return NOTHING
    const key = JSON.stringify(input)
    const known = this.list.findIndex((one) => JSON.stringify(one) === key)
    return known >= 0 ? known : this.list.push(input) - 1
  }
}

function vertexInput(vertex: string | undefined): StepInput | undefined {
  return vertex === undefined ? undefined : { kind: 'vertex', vertex }
}

function inputOf(from: FilesSource): StepInput | undefined {
  if (from.kind === 'vertex') return vertexInput(from.vertex)
  return { kind: 'local', name: from.name ?? 'context' }
}

function filesOp({ root, sources, actions }: FilesVertex): StepOp {
  const inputs = new Inputs()
  const base = inputs.add(vertexInput(root))
  const listed = actions.map((action, index) => {
    const from = action.kind === 'copy' ? sources[action.source] : undefined
    const secondaryInput = from === undefined ? NOTHING : inputs.add(inputOf(from))
    const input = index === 0 ? base : index - 1
    return {
      input,
      secondaryInput,
      output: index === actions.length - 1 ? 0 : NOTHING,
      ...act(action),
    }
  })
  return { op: { file: { actions: listed } }, inputs: inputs.list, platform: undefined }
}

function act(action: FileAction): JsonObject {
  const owner =
    'owner' in action && action.owner !== undefined ? { owner: { ...action.owner } } : {}
  switch (action.kind) {
    case 'mkdir':
      return {
        Action: { mkdir: { path: action.path, mode: action.mode, makeParents: true, ...owner } },
      }
    case 'write':
      // What it holds stands in the Dockerfile.
      return { Action: { mkfile: { path: action.destination, ...modeOf(action), ...owner } } }
    case 'copy': {
      const { paths, destination, exclude, parents, unpack, wildcards } = action
      const copy = {
        src: paths.length === 1 ? (paths[0] ?? '') : [...paths],
        dest: destination,
        allowWildcard: wildcards,
        attemptUnpack: unpack === 'auto',
        createDestPath: true,
        ...(exclude.length === 0 ? {} : { excludePatterns: [...exclude] }),
        ...(parents ? { parents } : {}),
        ...modeOf(action),
        ...owner,
      }
      return { Action: { copy } }
    }
    default:
      return unreachable(action)
  }
}

function modeOf({ chmod }: { readonly chmod?: string }): JsonObject {
  return chmod === undefined ? {} : { modeStr: chmod }
}

function execOp({ root, sources, mounts, process, platform }: ExecVertex): StepOp {
  const inputs = new Inputs()
  const base = { input: inputs.add(vertexInput(root)), dest: '/', output: 0 }
  const shown = mounts.map((mount) => {
    const at = 'source' in mount && mount.source !== undefined ? sources[mount.source] : undefined
    const input = inputs.add(vertexInput(at?.vertex))
    return { input, output: NOTHING, mountType: MOUNT_TYPES[mount.kind], ...mountFields(mount) }
  })
  const { args, env, cwd, user, network, security } = process
  const meta = { args: [...args], env: [...env], cwd, ...(user === '' ? {} : { user }) }
  const exec = {
    meta,
    mounts: [base, ...shown],
    ...(network === 'default' ? {} : { network: network === 'host' ? 1 : 2 }),
    ...(security === 'insecure' ? { security: 1 } : {}),
  }
  return { op: { exec }, inputs: inputs.list, platform }
}

function mountFields(mount: PlannedMount): JsonObject {
  const dest = mount.target ?? ''
  switch (mount.kind) {
    case 'bind':
      return { dest, selector: mount.path, readonly: mount.readonly }
    case 'cache':
      return { dest, selector: mount.path, cacheOpt: { ID: mount.id, sharing: mount.sharing } }
    case 'tmpfs':
      return { dest, tmpfsOpt: mount.size === undefined ? {} : { size: mount.size } }
    case 'secret':
      return { dest, secretOpt: { ID: mount.id, optional: !mount.required } }
    case 'ssh':
      return { dest, SSHOpt: { ID: mount.id, optional: !mount.required } }
    case 'script':
      return { dest }
    default:
      return unreachable(mount)
  }
}
