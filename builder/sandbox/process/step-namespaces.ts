import type { Buffer } from 'node:buffer'
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
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
import { MASKED_PATHS, READONLY_PATHS } from '../filter/profile.ts'
import { stepFilter } from '../filter/seccomp.ts'
import { OWN_NETWORK_DNS } from '../network/network-pool.ts'
import { mountControlGroups } from '../root/cgroup-mounts.ts'
import { mountDev } from '../root/device-mounts.ts'
import { etcFiles, hostAddress, LOOPBACK, readHostResolvConf } from '../root/etc-files.ts'
import { maskPath, mountProc, mountSys, type OnCreate, protectPath } from '../root/kernel-mounts.ts'
import { findPlace, type Place, pathOf } from '../root/root-entry.ts'
import {
  mountEtcFiles,
  mountRoot,
  mountScaffold,
  type ScaffoldPaths,
  writableOf,
} from '../root/scaffold.ts'
import { mountAll } from '../root/step-mounts.ts'
import { imageFileReader, resolveUser } from '../root/step-user.ts'
import { removeStubs, StubMaker } from '../root/stubs.ts'
import type { ProcessSpec } from '../spec/sandbox.ts'
import type { Prepared, PrepareRequest, WorkerSettings } from '../threads/messages.ts'
import { endInit, startInit } from './init-process.ts'

/** What a preparing thread needs to come back, and to know of the host once. */
export interface Host {
  readonly settings: WorkerSettings
  readonly home: Namespaces
  readonly masked: readonly string[]
  readonly readonly: readonly string[]
  readonly resolvConf: string
  /** Its address in networks of steps' own. */
  readonly address: string
  /** Of system calls, for pid 1. */
  readonly filter: Buffer
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
    filter: stepFilter(),
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
    enterScaffold(host.settings.scaffold)
    const init = startInit({ proc: basename(scaffold.proc), filter: host.filter })
    try {
      const furnished = furnish(host, request, { scaffold, init: init.namespace, undo })
      return {
        kind: 'prepared',
        id: request.id,
        init: init.pid,
        control: init.control,
        ...furnished,
      }
    } catch (cause) {
      undo.push(() => endInit(init))
      closeSync(init.namespace)
      throw cause
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
  const kinds: NamespaceKind[] = ['mnt', 'ipc', 'uts']
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
  /** Descriptor of the pid namespace. */
  readonly init: number
  readonly undo: (() => void)[]
}

/** Mounts everything and makes it the root. */
function furnish(
  host: Host,
  request: PrepareRequest,
  { scaffold, init, undo }: Furnishing,
): Omit<Prepared, 'kind' | 'id' | 'init' | 'control'> {
  const { spec } = request
  const [rootMount, ...mounts] = spec.mounts
  const isInsecure = spec.security === 'insecure'
  const devices = { limited: request.devicesLimited, all: isInsecure }
  mountRoot(rootMount, scaffold.root, { devices: devices.limited || devices.all })
  const root = openSync(scaffold.root, O_PATH)
  try {
    const maker = new StubMaker(root, writableOf(rootMount))
    undo.push(() => removeStubs(maker.record))
    const onCreate: OnCreate = (creation, make) => maker.create(creation, make)
    const user = resolveUser(spec.user, imageFileReader(root))
    setHostname(spec.hostname)
    if (request.network === 'none') raiseLoopback()
    const { shmSize } = spec
    mountDev(root, scaffold, { onCreate, shmSize, ttyGroup: host.ttyGroup, devices })
    mountSys(root, { onCreate, readonly: !isInsecure })
    mountControlGroups(root, request.groups)
    mountEtcFiles(root, etcFilesFor(host, request), { directory: scaffold.etc, onCreate })
    mountProc(root, scaffold, onCreate)
    if (!isInsecure) hideKernel(root, host, scaffold)
    // Before mounts of the step, which may cover it.
    const input = openInput(root)
    undo.push(() => closeSync(input))
    const sockets = mountAll(root, mounts, { scaffold, onCreate, user })
    for (const { descriptor } of sockets) undo.push(() => closeSync(descriptor))
    const cwd = openWorkingDirectory(root, spec.cwd)
    const namespaces = { ...openNamespaces(kindsToEnter(request)), pid: init }
    leaveHostFiles(root)
    const env = environmentOf(spec, user.home)
    const { descriptor, names } = cwd
    const cwdPath = `/${names.join('/')}`
    const filter = isInsecure ? undefined : host.filter
    const seen = { root, cwd: descriptor, cwdPath, namespaces, input }
    return { ...seen, user, filter, env, sockets, stubs: maker.record }
  } catch (cause) {
    closeSync(root)
    throw cause
  }
}

function hideKernel(root: number, host: Host, scaffold: ScaffoldPaths): void {
  for (const path of host.masked) maskPath(root, path, scaffold)
  for (const path of host.readonly) protectPath(root, path)
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
  const kinds: NamespaceKind[] = ['mnt', 'ipc', 'uts']
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

function openInput(root: number): number {
  const place = findPlace(root, '/dev/null')
  try {
    return openSync(pathOf(place.descriptor), constants.O_RDWR)
  } finally {
    closeSync(place.descriptor)
  }
}

function openWorkingDirectory(root: number, path: string): Place {
  const place = findPlace(root, path, { create: 'directory' })
  if (place.stat.isDirectory()) return place
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
