import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import {
  closeNamespaces,
  enterDirectory,
  enterNamespaces,
  isUserNamespace,
  makeMountsPrivate,
  type NamespaceKind,
  type Namespaces,
  namespacesToReturnTo,
  O_PATH,
  openNamespaces,
  pivotRoot,
  raiseLoopback,
  setHostname,
  setUmask,
  unshareNamespaces,
  unshareWorkingDirectory,
} from '#builder/linux'
import { TsbuildError } from '#core'
import { etcFiles, hostAddress, LOOPBACK, readHostResolvConf } from './etc-files.ts'
import {
  canReapOrphans,
  endInit,
  type InitProcess,
  startInit,
  waitForInit,
  waitForProc,
} from './init-process.ts'
import {
  addHostDevices,
  maskPath,
  mountDev,
  mountProc,
  mountSys,
  type OnCreate,
  openDevice,
  protectPath,
} from './kernel-mounts.ts'
import type { Prepared, PrepareRequest, WorkerSettings } from './messages.ts'
import { OWN_NETWORK_DNS } from './network.ts'
import { MASKED_PATHS, READONLY_PATHS } from './profile.ts'
import { findPlace } from './root-tree.ts'
import type { ProcessSpec } from './sandbox.ts'
import { mountAll } from './step-mounts.ts'
import {
  mountEtcFiles,
  mountRoot,
  mountScaffold,
  type ScaffoldPaths,
  writableOf,
} from './step-root.ts'
import { removeStubs, StubMaker } from './stubs.ts'
import { imageFileReader, resolveUser } from './user.ts'

/** What a preparing thread needs to come back, and to know of the host once. */
export interface Host {
  readonly settings: WorkerSettings
  readonly home: Namespaces
  readonly masked: readonly string[]
  readonly readonly: readonly string[]
  readonly resolvConf: string
  /** Its address in networks of steps' own. */
  readonly address: string
  readonly canReap: boolean
  /** Whether group 5, which terminals belong to, exists in this user namespace. */
  readonly ttyGroup: boolean
}

/** Binds the calling thread to this work: it gets a working directory and umask of its own. */
export function openHost(settings: WorkerSettings): Host {
  unshareWorkingDirectory()
  setUmask(0)
  return {
    settings,
    home: namespacesToReturnTo(),
    masked: [...MASKED_PATHS, ...throttlePaths()].filter((path) => existsSync(path)),
    readonly: READONLY_PATHS.filter((path) => existsSync(path)),
    resolvConf: readHostResolvConf(),
    address: hostAddress(),
    canReap: canReapOrphans(),
    ttyGroup: isGroupMapped(5),
  }
}

function isGroupMapped(gid: number): boolean {
  const ranges = readFileSync('/proc/self/gid_map', 'latin1').trim().split('\n')
  return ranges.some((range) => {
    const [first = 0, , count = 0] = range.trim().split(/\s+/).map(Number)
    return gid >= first && gid < first + count
  })
}

/** Releases what `openHost` opened. */
export function closeHost(host: Host): void {
  closeNamespaces(host.home)
}

/** Counters of the CPUs that tell steps about each other's load. */
function throttlePaths(): readonly string[] {
  const base = '/sys/devices/system/cpu'
  if (!existsSync(base)) return []
  return readdirSync(base)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => `${base}/${name}/thermal_throttle`)
}

/**
 * Makes the place for one step: namespaces, mounts, pid 1. The thread is back on the host afterwards;
 * if this fails, nothing of the place is left.
 */
export function preparePlace(host: Host, request: PrepareRequest): Prepared {
  const undo: (() => void)[] = []
  try {
    return makePlace(host, request, undo)
  } catch (cause) {
    for (const action of undo.toReversed()) action()
    throw cause
  }
}

/** @param undo takes, in order, what has to be undone once the thread is back on the host */
function makePlace(host: Host, request: PrepareRequest, undo: (() => void)[]): Prepared {
  try {
    enterNewNamespaces(request.network)
    makeMountsPrivate()
    const scaffold = mountScaffold(host.settings.scaffold)
    const { mountProgram } = host.settings
    const starter = isUserNamespace() ? ['/usr/bin/unshare', '--pid', '--fork'] : []
    // The step can read the command line of pid 1, which has no path of the host this way.
    enterScaffold(host.settings.scaffold)
    const init = startInit({
      mountProgram,
      proc: basename(scaffold.proc),
      starter,
      reap: host.canReap,
    })
    try {
      const furnished = furnish(host, request, { scaffold, init, undo })
      const { child, control } = init
      return { kind: 'prepared', id: request.id, child, control, ...furnished }
    } catch (cause) {
      undo.push(() => endInit(init))
      throw cause
    } finally {
      closeSync(init.ready)
    }
  } finally {
    enterNamespaces(host.home)
  }
}

function enterScaffold(path: string): void {
  const descriptor = openSync(path, O_PATH)
  enterDirectory(descriptor)
  closeSync(descriptor)
}

function enterNewNamespaces(network: PrepareRequest['network']): void {
  const kinds: NamespaceKind[] = ['mnt', 'ipc', 'uts', 'cgroup']
  // A user namespace does not own the pid namespace that the thread would have to come back to.
  if (!isUserNamespace()) kinds.push('pid')
  if (network === 'none') kinds.push('net')
  if (typeof network === 'number') enterNamespaces({ net: network })
  unshareNamespaces(kinds)
}

/** Makes a network namespace in which only loopback works. @returns its descriptor */
export function makeNetworkNamespace(host: Host): number {
  try {
    unshareNamespaces(['net'])
    raiseLoopback()
    return openSync('/proc/thread-self/ns/net', 'r')
  } finally {
    enterNamespaces(host.home)
  }
}

interface Furnishing {
  readonly scaffold: ScaffoldPaths
  readonly init: InitProcess
  readonly undo: (() => void)[]
}

/** Mounts everything and makes it the root. Pid 1 starts meanwhile. */
function furnish(
  host: Host,
  request: PrepareRequest,
  { scaffold, init, undo }: Furnishing,
): Omit<Prepared, 'kind' | 'id' | 'child' | 'control'> {
  const { spec } = request
  const [rootMount, ...mounts] = spec.mounts
  const isInsecure = spec.security === 'insecure'
  mountRoot(rootMount, scaffold.root, { devices: isInsecure })
  const root = openSync(scaffold.root, O_PATH)
  try {
    const maker = new StubMaker(root, writableOf(rootMount))
    undo.push(() => removeStubs(maker.record))
    const onCreate: OnCreate = (creation, make) => maker.create(creation, make)
    const user = resolveUser(spec.user, imageFileReader(root))
    setHostname(spec.hostname)
    if (request.network === 'none') raiseLoopback()
    mountDev(root, { onCreate, shmSize: spec.shmSize, ttyGroup: host.ttyGroup })
    if (isInsecure) addHostDevices(root)
    mountSys(root, scaffold, { onCreate, readonly: !isInsecure })
    mountEtcFiles(root, etcFilesFor(host, request), { directory: scaffold.etc, onCreate })
    const pid = waitForProc(init)
    mountProc(root, scaffold, onCreate)
    if (!isInsecure) hideKernel(root, host, scaffold)
    const sockets = mountAll(root, mounts, { scaffold, onCreate })
    for (const { descriptor } of sockets) undo.push(() => closeSync(descriptor))
    const cwd = openWorkingDirectory(root, spec.cwd)
    waitForInit(init)
    const namespaces = openNamespaces(kindsToEnter(request), pid)
    leaveHostFiles(root)
    const env = environmentOf(spec, user.home)
    return { init: pid, namespaces, cwd, user, env, sockets, stubs: maker.record }
  } finally {
    closeSync(root)
  }
}

function hideKernel(root: number, host: Host, scaffold: ScaffoldPaths): void {
  const nullDevice = openDevice('/dev/null', 1, 3)
  try {
    for (const path of host.masked) maskPath(root, path, { scaffold, nullDevice })
    for (const path of host.readonly) protectPath(root, path)
  } finally {
    closeSync(nullDevice)
  }
}

/** The old root is that of this mount namespace, not of the host's, so it is opened only now. */
function leaveHostFiles(root: number): void {
  const oldRoot = openSync('/', O_PATH)
  try {
    pivotRoot(root, oldRoot)
  } finally {
    closeSync(oldRoot)
  }
}

/** In a user namespace a thread cannot enter the host's network, but it is there already. */
function kindsToEnter(request: PrepareRequest): readonly NamespaceKind[] {
  const kinds: NamespaceKind[] = ['mnt', 'ipc', 'uts', 'cgroup', 'pid']
  return request.network !== 'host' || !isUserNamespace() ? [...kinds, 'net'] : kinds
}

function etcFilesFor(host: Host, request: PrepareRequest): ReturnType<typeof etcFiles> {
  const { hostname, extraHosts } = request.spec
  const { resolvConf, address } = host
  const isOwn = typeof request.network === 'number'
  const ownServer = isOwn ? OWN_NETWORK_DNS : undefined
  const gateway = isOwn ? address : LOOPBACK
  return etcFiles({ ...{ hostname, extraHosts, ownServer }, ...{ resolvConf, gateway } })
}

function openWorkingDirectory(root: number, path: string): number {
  const place = findPlace(root, path, { create: 'directory' })
  if (place.stat.isDirectory()) return place.descriptor
  closeSync(place.descriptor)
  throw new TsbuildError(`the working directory ${path} is not a directory`, {
    code: 'STEP_FAILED',
    hint: 'choose another WORKDIR',
  })
}

function environmentOf(spec: ProcessSpec, home: string): readonly string[] {
  const hasHome = spec.env.some((entry) => entry.startsWith('HOME=') && entry !== 'HOME=')
  return hasHome ? spec.env : [...spec.env.filter((entry) => entry !== 'HOME='), `HOME=${home}`]
}
