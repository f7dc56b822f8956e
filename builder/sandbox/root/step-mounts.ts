/**
 * The mounts of a step besides its root. Sources are walked with descriptors, inside what they belong
 * to, and mounted by descriptor: another step that changes a path meanwhile cannot make anything else of the
 * host appear in this one.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync } from 'node:fs'
import {
  attachMount,
  chownTree,
  type Identity,
  MS,
  mount,
  mountOverlay,
  O_PATH,
} from '#builder/linux'
import {
  type BindMount,
  type DetachedMount,
  errnoOf,
  ioError,
  type Mount,
  type OverlayMount,
  type TmpfsMount,
  TsbuildError,
  unreachable,
} from '#core'
import { type MemoryMountOptions, mountFile, mountSocket, SAFE } from './memory-mounts.ts'
import {
  type BindOptions,
  bindInto,
  findTarget,
  makeStaging,
  mountTmpfs,
  moveInto,
  type OnCreate,
  restrictBind,
} from './mount-points.ts'
import { descriptorPath, findEntryIfThere, type RootEntry } from './root-entry.ts'
import { writableOf } from './root-mount.ts'
import type { Scaffold } from './scaffold-paths.ts'

/** Of the step that the mounts are for. */
export interface StepMountOptions {
  readonly onCreate: OnCreate
  /** The owner of mounts that are `owned`. */
  readonly user: Identity
  /** What sockets are labelled with that it connects to; absent: nothing. */
  readonly socketLabel: string | undefined
  /** Labels what is shown as it lies on the disk. */
  readonly labelShown: (path: string) => void
  /** Of a container; absent: of a step. */
  readonly container?: ContainerMounts | undefined
  /** Empty directories outside of the root. */
  readonly scaffold: Pick<Scaffold, 'files' | 'whole'>
}

/** How files of the host are mounted in a container. */
export interface ContainerMounts {
  /** `MS` attributes: what programs in them could do is limited by other means, if possible. */
  readonly flags: number
  /** Descriptors of mounts that pass others on, attached nowhere, by their index. */
  readonly passing: ReadonlyMap<number, number>
}

/** A socket that waits to be listened on. */
export interface StepSocket {
  readonly target: string
  readonly descriptor: number
}

/**
 * Mounts into the root, in the given order.
 * @returns the sockets among them; the caller closes their descriptors
 */
export function mountAll(
  root: number,
  mounts: readonly Mount[],
  options: StepMountOptions,
): readonly StepSocket[] {
  const inMemory = mounts.some(({ type }) => type === 'file' || type === 'socket')
  if (inMemory) mount(options.scaffold.files, { type: 'tmpfs', flags: SAFE, data: 'mode=700' })
  const sockets: StepSocket[] = []
  try {
    mounts.forEach((step, index) => {
      const descriptor = mountOne(root, step, { ...options, index })
      if (descriptor !== undefined) sockets.push({ target: step.target, descriptor })
    })
    return sockets
  } catch (cause) {
    for (const { descriptor } of sockets) closeSync(descriptor)
    throw cause
  }
}

interface OneMountOptions extends StepMountOptions {
  /** Tells the mount from the others of the step. */
  readonly index: number
}

function mountOne(root: number, step: Mount, options: OneMountOptions): number | undefined {
  switch (step.type) {
    case 'bind':
      return mountBind(root, step, options)
    case 'overlay':
    case 'detached':
      return mountUnion(root, step, options)
    case 'tmpfs':
      return mountTmpfsInto(root, step, options)
    case 'file':
      return mountFile(root, step, inMemory(options))
    case 'socket':
      return mountSocket(root, step, inMemory(options))
    default:
      return unreachable(step)
  }
}

function inMemory(options: OneMountOptions): MemoryMountOptions {
  const { scaffold, index, socketLabel } = options
  return { directory: scaffold.files, name: `${index}`, socketLabel, ...staged(options) }
}

function mountBind(root: number, step: BindMount, options: OneMountOptions): undefined {
  const { container, index } = options
  const passing = container?.passing.get(index)
  if (passing !== undefined) return mountPassing(root, step, { ...options, source: passing })
  const source = openSource(step.source, options)
  try {
    const flags = (container?.flags ?? SAFE) | (step.readonly ? MS.RDONLY : 0)
    if (step.labelled === true) options.labelShown(`${descriptorPath(source)}/.`)
    bindPart(root, step, { ...options, source, flags })
  } finally {
    closeSync(source)
  }
}

/** Attaches a mount that passes others on. */
function mountPassing(
  root: number,
  step: BindMount,
  options: OneMountOptions & { readonly source: number },
): undefined {
  const { source, container, scaffold, index, onCreate } = options
  const kind = fstatSync(source).isDirectory() ? 'directory' : 'file'
  const staging = stagingPath({ scaffold, index })
  makeStaging(staging, kind)
  attachMount(source, staging)
  const isSlave = step.propagation?.endsWith('slave') === true
  const recursive = step.propagation?.startsWith('r') === true ? MS.REC : 0
  if (isSlave) mount(staging, { flags: MS.SLAVE | recursive })
  const flags = (container?.flags ?? SAFE) | (step.readonly ? MS.RDONLY : 0)
  restrictBind(staging, { ...step, flags })
  moveInto(root, step.target, { source: staging, kind, onCreate })
}

/** The union is put up outside of the root, so that a part of it can be found without leaving it. */
function mountUnion(
  root: number,
  step: OverlayMount | DetachedMount,
  options: OneMountOptions,
): undefined {
  const whole = `${options.scaffold.whole}/${options.index}`
  mkdirSync(whole)
  if (step.type === 'overlay') mountOverlay(step, whole)
  else attachMount(step.descriptor, whole)
  const source = openSync(whole, O_PATH | constants.O_DIRECTORY)
  try {
    // A kernel that only sets all attributes at once would take away the one that protects the layers.
    const isReadonly = writableOf(step) === undefined || step.readonly === true
    const flags = SAFE | (isReadonly ? MS.RDONLY : 0)
    bindPart(root, step, { ...options, source, flags })
  } finally {
    closeSync(source)
  }
}

/** Shows what lies at `path` in the open directory or file `source`. */
function bindPart(
  root: number,
  step: BindMount | OverlayMount | DetachedMount,
  options: OneMountOptions & { readonly source: number; readonly flags: number },
): void {
  const { path, target, owned = false } = step
  const { source, flags } = options
  const below = step.type === 'bind' ? step : {}
  const part = path === undefined || path === '/' ? undefined : findPart(source, path)
  try {
    const descriptor = part?.descriptor ?? source
    if (owned) chownTree(descriptorPath(descriptor), options.user)
    const kind = fstatSync(descriptor).isDirectory() ? 'directory' : 'file'
    const bound = { source: descriptorPath(descriptor), kind, flags, ...staged(options) } as const
    bindInto(root, target, { ...below, ...bound })
  } finally {
    if (part !== undefined) closeSync(part.descriptor)
  }
}

function staged({
  onCreate,
  scaffold,
  index,
}: OneMountOptions): Pick<BindOptions, 'onCreate' | 'staging'> {
  return { onCreate, staging: stagingPath({ scaffold, index }) }
}

function stagingPath({ scaffold, index }: Pick<OneMountOptions, 'scaffold' | 'index'>): string {
  return `${scaffold.whole}/${index}.staging`
}

/** @throws {TsbuildError} NOT_FOUND */
export function findPart(source: number, path: string): RootEntry {
  const entry = findEntryIfThere(source, path)
  if (entry !== undefined) return entry
  throw new TsbuildError(`${JSON.stringify(path)}: not found`, {
    code: 'NOT_FOUND',
    hint: 'a mount shows a path of what it is from; links in it lead nowhere else',
  })
}

/** Links on the host are followed for a container: its user has named the path. */
function openSource(path: string, { container }: Pick<OneMountOptions, 'container'>): number {
  if (container !== undefined) return openHostPath(path)
  try {
    return openSync(path, O_PATH | constants.O_NOFOLLOW)
  } catch (cause) {
    throw new TsbuildError(`mount ${path}: it cannot be opened`, { code: 'IO_FAILED', cause })
  }
}

/** Opens what a container is shown of the host. @throws {TsbuildError} USAGE, IO_FAILED */
export function openHostPath(path: string): number {
  try {
    return openSync(path, O_PATH)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw ioError(`mount ${path}`, cause)
    throw new TsbuildError(`bind source path does not exist: ${path}`, { code: 'USAGE', cause })
  }
}

/** It keeps the mode of the directory that it hides; where there was none, it is open to all. */
function mountTmpfsInto(root: number, step: TmpfsMount, options: OneMountOptions): undefined {
  const { target, size, readonly = false, owned = false, options: data = [] } = step
  const hidden = findEntryIfThere(root, target)
  if (hidden !== undefined) closeSync(hidden.descriptor)
  const mode = step.mode ?? (hidden?.stat.mode ?? OPEN_TO_ALL) & 0o7777
  const entry = findTarget(root, target, { create: 'directory', onCreate: options.onCreate })
  try {
    const flags = forbidding(step.forbids) | (readonly ? MS.RDONLY : 0)
    const { uid, gid } = owned ? options.user : { uid: step.uid ?? 0, gid: step.gid ?? 0 }
    mountTmpfs(descriptorPath(entry.descriptor), { size, mode, flags, uid, gid, data })
  } finally {
    closeSync(entry.descriptor)
  }
}

const ATTRIBUTES = { exec: MS.NOEXEC, suid: MS.NOSUID, dev: MS.NODEV } as const

function forbidding(what: TmpfsMount['forbids']): number {
  return what?.reduce((flags, one) => flags | ATTRIBUTES[one], 0) ?? SAFE
}

const OPEN_TO_ALL = 0o1777
