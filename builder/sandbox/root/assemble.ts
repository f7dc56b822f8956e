/**
 * Assembling what a process sees as its root: mounts, devices, files of /etc, its user. It happens in
 * the mount namespace of the calling thread, and does not depend on how the process is started.
 */
import { closeSync, constants, lstatSync, openSync } from 'node:fs'
import {
  attachMount,
  type Identity,
  isUserNamespace,
  MS,
  O_PATH,
  restrictMount,
} from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'
import type { SelinuxLabels } from '../filter/selinux.ts'
import type { CgroupDir } from '../limits/cgroup-dir.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import { mountControlGroups } from './cgroup-mounts.ts'
import { addDevices, showConsole, showDevices } from './container-devices.ts'
import { mountShm } from './device-mounts.ts'
import { type EtcOptions, etcFiles } from './etc-files.ts'
import { mountEtcFiles } from './etc-mounts.ts'
import type { HostFacts } from './host-facts.ts'
import { moveKernel } from './kernel-mounts.ts'
import { labelShown } from './label-shown.ts'
import type { MountPointLayer } from './mount-point-layer.ts'
import type { OnCreate } from './mount-points.ts'
import { findEntry, type RootEntry, systemReason, type WalkOptions } from './root-entry.ts'
import { mountRoot, writableOf } from './root-mount.ts'
import type { Scaffold } from './scaffold-paths.ts'
import { type ContainerMounts, mountAll, type StepSocket } from './step-mounts.ts'
import { imageFileReader, resolveUser } from './step-user.ts'
import { removeStubs, StubMaker, type StubRecord } from './stubs.ts'

/** What a root is assembled from. */
export interface RootInput {
  readonly spec: Pick<
    ProcessSpec,
    | 'mounts'
    | 'user'
    | 'cwd'
    | 'env'
    | 'hostname'
    | 'extraHosts'
    | 'shmSize'
    | 'security'
    | 'container'
  >
  readonly host: HostFacts
  readonly mountPoints: MountPointLayer
  /** With what `mountKernel` mounts in it. */
  readonly scaffold: Scaffold
  /** How names and the host are found in the network of the root. */
  readonly network: Pick<EtcOptions, 'gateway' | 'ownServers'>
  /** The control groups that processes of the root will be in. */
  readonly cgroups: readonly CgroupDir[]
  /** Whether these keep processes from opening devices of the host. */
  readonly devicesLimited: boolean
  readonly hasTerminal: boolean
  /** What it has in common with others. */
  readonly shared: SharedParts
  /** It sees all control groups of the host. */
  readonly showsAllGroups: boolean
}

/** Mounts that a root has in common with others. */
export interface SharedParts {
  /** What becomes /dev/shm: a descriptor of a mount, or nothing; absent: its own. */
  readonly memory: number | 'none' | undefined
  readonly passing: ContainerMounts['passing']
}

/** An assembled root. `closeRoot` closes its descriptors, `removeStubs` removes what was made on disk. */
export interface AssembledRoot {
  /** Descriptor of the root. */
  readonly root: number
  /** Descriptor of the working directory, and where that is in the root. */
  readonly cwd: number
  readonly cwdPath: string
  /** Descriptor of the root's own /dev/null. */
  readonly input: number
  /** Descriptor of the master of a terminal of its /dev/pts; absent: none was asked for. */
  readonly ptmx: number | undefined
  readonly user: Identity
  /** The environment, complete. */
  readonly env: readonly string[]
  /** The label of SELinux that processes in it can have; absent: none, or not all of its files are labelled. */
  readonly label: string | undefined
  /** Sockets in the root that the caller listens on, and then closes. */
  readonly sockets: readonly StepSocket[]
  /** What must be removed from the root's files once its mounts are released. */
  readonly stubs: StubRecord
}

/** Actions that undo what was done so far, in the order in which it was done. */
export type Undo = (() => void)[]

/**
 * Mounts everything. The root is mounted in the scaffold; making it that of the mount namespace is up to
 * the caller.
 * @param undo gets what the caller has to do, last first, when this fails and its mounts are released
 * @throws {TsbuildError} STEP_FAILED when the image does not fit
 */
export function assembleRoot(input: RootInput, undo: Undo): AssembledRoot {
  const { spec, scaffold } = input
  const [rootMount, ...mounts] = spec.mounts
  const open = (descriptor: number): number => {
    undo.push(() => closeSync(descriptor))
    return descriptor
  }
  const isInsecure = spec.security === 'insecure'
  const devices = input.devicesLimited || isInsecure
  const { mountPoints } = input
  const shown = new Labels(input)
  const { labelShown } = shown
  mountRoot(rootMount, scaffold.root, { devices, mountPoints, labelShown })
  const root = openSync(scaffold.root, O_PATH)
  const maker = new StubMaker(root, writableOf(rootMount))
  undo.push(() => removeStubs(maker.record))
  open(root)
  const onCreate: OnCreate = (creation, make) => maker.create(creation, make)
  if (spec.container !== undefined) markContainer(root, scaffold, onCreate)
  const etc = lstatSync(`${scaffold.root}/etc`, { throwIfNoEntry: false })
  if (etc?.ino === mountPoints.etc) maker.recordBelow('etc')
  const user = resolveUser(spec.user, imageFileReader(root), spec.container?.groups)
  const stdin = open(openSync(`${scaffold.dev}/null`, constants.O_RDWR))
  const ptmx = input.hasTerminal ? open(openSync(`${scaffold.dev}/pts/ptmx`, TERMINAL)) : undefined
  const container = spec.container && { scaffold, container: spec.container, openable: devices }
  if (container !== undefined) addDevices(container)
  if (container !== undefined && ptmx !== undefined) showConsole(scaffold)
  mountOwn(root, input, onCreate)
  // In a user namespace what opens devices is the right to do so on the host.
  const flags = devices || isUserNamespace() ? 0 : MS.NODEV
  const sockets = mountAll(root, mounts, {
    ...{ scaffold, user, labelShown, socketLabel: shown.process },
    ...(container === undefined
      ? { onCreate }
      : {
          onCreate: keptInContainer(onCreate),
          container: { flags, passing: input.shared.passing },
        }),
  })
  for (const { descriptor } of sockets) open(descriptor)
  if (container !== undefined) showDevices(root, container, onCreate)
  const cwd = openWorkingDirectory(root, spec.cwd, { create: 'directory' })
  if (spec.container?.readonlyRoot === true) {
    restrictMount(scaffold.root, { flags: flags | MS.RDONLY })
  }
  return {
    ...{ root, input: stdin, ptmx, user, sockets },
    cwd: open(cwd.descriptor),
    cwdPath: `/${cwd.names.join('/')}`,
    env: environmentOf(spec, user.home),
    label: shown.process,
    stubs: maker.record,
  }
}

/** Programs find out by this file that they are in a container. It is in no layer. */
function markContainer(root: number, scaffold: Scaffold, onCreate: OnCreate): void {
  // Whatever an image has there.
  if (lstatSync(`${scaffold.root}/.dockerenv`, { throwIfNoEntry: false }) !== undefined) return
  const mark = findEntry(root, '/.dockerenv', { create: 'file', onCreate, nofollow: true })
  closeSync(mark.descriptor)
}

const ETC_FILES: ReadonlySet<string> = new Set(['hosts', 'hostname', 'resolv.conf'])

/** What a container mounts something on stays in its layer, but for the files of /etc that are its engine's. */
function keptInContainer(onCreate: OnCreate): OnCreate {
  return (creation, make) => {
    const { parentNames, name } = creation
    if (parentNames.join('/') === 'etc' && ETC_FILES.has(name)) onCreate(creation, make)
    else make()
  }
}

/** The labels of one root: a process has one only where all that it sees has one. */
class Labels {
  readonly #labels: SelinuxLabels | undefined
  #isWhole = true

  constructor({ spec, host }: Pick<RootInput, 'spec' | 'host'>) {
    // What others have mounted has labels of its own.
    const isOurs = spec.mounts.every(({ type }) => type !== 'detached')
    this.#labels = spec.security === 'sandbox' && isOurs ? host.labels : undefined
  }

  get process(): string | undefined {
    return this.#isWhole ? this.#labels?.process : undefined
  }

  readonly labelShown = (path: string): void => {
    if (this.#labels !== undefined) this.#isWhole &&= labelShown(path, this.#labels.file)
  }
}

const TERMINAL = constants.O_RDWR | constants.O_NOCTTY

/** /dev, /sys, /proc and the files of /etc. */
function mountOwn(root: number, input: RootInput, onCreate: OnCreate): void {
  const { spec, host, scaffold, network, cgroups } = input
  const { shmSize, hostname, extraHosts } = spec
  const { memory } = input.shared
  if (memory === undefined) mountShm(scaffold, shmSize)
  else if (memory !== 'none') attachMount(memory, `${scaffold.dev}/shm`)
  moveKernel(root, '/dev', { scaffold, onCreate })
  mountControlGroups(scaffold, cgroups, {
    isWritable: spec.container?.privileged === true,
    isWhole: input.showsAllGroups,
  })
  moveKernel(root, '/sys', { scaffold, onCreate })
  if (spec.container?.etc !== 'mounted') {
    const files = etcFiles({ hostname, extraHosts, resolvConf: host.resolvConf, ...network })
    mountEtcFiles(root, files, { directory: scaffold.etc, onCreate })
  }
  moveKernel(root, '/proc', { scaffold, onCreate })
}

/** Closes the descriptors that outlive the assembling, but for the sockets. */
export function closeRoot(root: AssembledRoot): void {
  for (const descriptor of rootDescriptors(root)) closeSync(descriptor)
}

/** Those. */
export function rootDescriptors({ root, cwd, input, ptmx }: AssembledRoot): readonly number[] {
  return [root, cwd, input, ...(ptmx === undefined ? [] : [ptmx])]
}

/** Opens the directory that a process starts in. @throws {TsbuildError} STEP_FAILED, in the words of runc */
export function openWorkingDirectory(root: number, path: string, walk: WalkOptions): RootEntry {
  const entry = enterDirectory(root, path, walk)
  if (entry.stat.isDirectory()) return entry
  closeSync(entry.descriptor)
  throw chdirError(path, Object.assign(new Error('no folder'), { code: 'ENOTDIR' }))
}

function enterDirectory(root: number, path: string, walk: WalkOptions): RootEntry {
  try {
    return findEntry(root, path, walk)
  } catch (cause) {
    const reason = cause instanceof TsbuildError ? cause.cause : undefined
    // What a directory cannot be made for is told as it is.
    if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(reason) ?? '')) throw cause
    throw chdirError(path, reason)
  }
}

function chdirError(path: string, cause: unknown): TsbuildError {
  const what = `chdir to cwd (${JSON.stringify(path)}) set in config.json failed`
  return new TsbuildError(`${what}: ${systemReason(cause)}`, {
    code: 'STEP_FAILED',
    hint: 'choose another working directory',
    cause,
  })
}

/** The environment of a step, complete. @param home what is HOME when the image does not say */
export function environmentOf({ env }: Pick<ProcessSpec, 'env'>, home: string): readonly string[] {
  const hasHome = env.some((entry) => entry.startsWith('HOME=') && entry !== 'HOME=')
  return hasHome ? env : [...env.filter((entry) => entry !== 'HOME='), `HOME=${home}`]
}
