import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
} from 'node:fs'
import { isUserNamespace, MS, makeNode, mount, O_PATH, restrictMount } from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'
import { DEVICE_LINKS, DEVICES, HOST_DEVICES } from './profile.ts'
import {
  findPlace,
  findPlaceIfThere,
  type Place,
  type PlaceKind,
  pathOf,
  type WalkOptions,
} from './root-tree.ts'

const NOTHING_SPECIAL = MS.NOSUID | MS.NODEV | MS.NOEXEC

/** How mount points that are missing get made. */
export type OnCreate = NonNullable<WalkOptions['onCreate']>

/** Where the parts of a step's root come from, all in its own mount namespace. */
export interface Scaffold {
  /** A procfs of the step's pid namespace. */
  readonly proc: string
  /** An empty directory that nobody can write to. */
  readonly empty: string
}

/**
 * Opens the directory that the kernel's file systems go to. A link there would lead the mount
 * somewhere else, also to where nobody expects it, so only an ordinary directory is accepted.
 */
function openMountPoint(root: number, path: string, onCreate: OnCreate): number {
  const place = findOrdinary(root, path, onCreate)
  if (place.stat.isDirectory()) return place.descriptor
  closeSync(place.descriptor)
  throw notOrdinary(path)
}

function findOrdinary(
  root: number,
  path: string,
  onCreate: OnCreate,
): ReturnType<typeof findPlace> {
  try {
    return findPlace(root, path, { create: 'directory', nofollow: true, onCreate })
  } catch (cause) {
    if (cause instanceof TsbuildError && errnoOf(cause.cause) === 'ELOOP') throw notOrdinary(path)
    throw cause
  }
}

function notOrdinary(path: string): TsbuildError {
  return new TsbuildError(`mount ${path}: the image has no ordinary directory there`, {
    code: 'STEP_FAILED',
    hint: `remove ${path} from the image, or make it a directory`,
  })
}

/** Moves the prepared procfs to /proc. */
export function mountProc(root: number, scaffold: Scaffold, onCreate: OnCreate): void {
  const target = openMountPoint(root, '/proc', onCreate)
  mount(pathOf(target), { source: scaffold.proc, flags: MS.MOVE })
  closeSync(target)
}

/**
 * A /sys without control groups, read-only unless asked. Where the kernel refuses a new one (a user namespace that
 * does not own its network), it is the host's, read-only too.
 */
export function mountSys(
  root: number,
  scaffold: Scaffold,
  options: { readonly onCreate: OnCreate; readonly readonly: boolean },
): void {
  const target = openMountPoint(root, '/sys', options.onCreate)
  const flags = NOTHING_SPECIAL | (options.readonly ? MS.RDONLY : 0)
  try {
    mount(pathOf(target), { type: 'sysfs', flags })
  } catch (cause) {
    if (errnoOf(cause) !== 'EPERM') throw cause
    mount(pathOf(target), { source: '/sys', flags: MS.BIND | MS.REC })
    restrictAt(root, '/sys', { flags, recursive: true })
    maskPath(root, '/sys/fs/cgroup', { scaffold, nullDevice: -1 })
  } finally {
    closeSync(target)
  }
}

export interface DevOptions {
  readonly onCreate: OnCreate
  /** Bytes of /dev/shm. */
  readonly shmSize: number
  /** False where group 5 (tty) has no number in this user namespace. */
  readonly ttyGroup: boolean
}

/** A /dev of its own with the few devices that every program expects. */
export function mountDev(root: number, options: DevOptions): void {
  const target = openMountPoint(root, '/dev', options.onCreate)
  mount(pathOf(target), {
    type: 'tmpfs',
    flags: MS.NOSUID | MS.NOEXEC | MS.STRICTATIME,
    data: 'mode=755,size=65536k',
  })
  closeSync(target)
  const place = findPlace(root, '/dev')
  const dev = pathOf(place.descriptor)
  for (const [name, major, minor] of DEVICES) addDevice(dev, name, major, minor)
  for (const [name, to] of DEVICE_LINKS) symlinkSync(to, `${dev}/${name}`)
  for (const name of ['pts', 'shm', 'mqueue']) mkdirSync(`${dev}/${name}`, 0o755)
  mount(`${dev}/pts`, {
    type: 'devpts',
    flags: MS.NOSUID | MS.NOEXEC,
    data: `newinstance,ptmxmode=0666,mode=0620${options.ttyGroup ? ',gid=5' : ''}`,
  })
  const size = `mode=1777,size=${options.shmSize}`
  mount(`${dev}/shm`, { type: 'tmpfs', flags: NOTHING_SPECIAL, data: size })
  mountQueues(`${dev}/mqueue`)
  closeSync(place.descriptor)
}

/** Adds the devices of the host that steps with all rights expect, as far as it has them. */
export function addHostDevices(root: number): void {
  // In a user namespace no device can be made.
  if (isUserNamespace()) return
  const place = findPlace(root, '/dev')
  const dev = pathOf(place.descriptor)
  mkdirSync(`${dev}/net`, 0o755)
  for (const name of HOST_DEVICES) {
    const stat = lstatSync(`/dev/${name}`, { throwIfNoEntry: false })
    if (stat === undefined || !(stat.isCharacterDevice() || stat.isBlockDevice())) continue
    const numbers = { major: stat.rdev >> 8, minor: stat.rdev & 0xff }
    const type = stat.isBlockDevice() ? 'block' : 'character'
    makeNode(`${dev}/${name}`, type, { mode: stat.mode & 0o777, ...numbers })
  }
  closeSync(place.descriptor)
}

/** Kernels may be built without message queues. */
function mountQueues(target: string): void {
  try {
    mount(target, { type: 'mqueue', flags: NOTHING_SPECIAL })
  } catch (cause) {
    if (errnoOf(cause) !== 'ENODEV') throw cause
  }
}

/** In a user namespace no device can be made, but the host's can be shown. */
function addDevice(dev: string, name: string, major: number, minor: number): void {
  const path = `${dev}/${name}`
  if (!isUserNamespace()) {
    makeNode(path, 'character', { mode: 0o666, major, minor })
    return
  }
  const source = openDevice(`/dev/${name}`, major, minor)
  closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o666))
  mount(path, { source: pathOf(source), flags: MS.BIND })
  closeSync(source)
}

/** Opens a device of the host, and nothing that only looks like it. */
export function openDevice(path: string, major: number, minor: number): number {
  const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW)
  const stat = fstatSync(descriptor)
  if (stat.isCharacterDevice() && stat.rdev === major * 256 + minor) return descriptor
  closeSync(descriptor)
  throw new TsbuildError(`${path} of the host is not the device ${major}:${minor}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: `check ${path} on this host`,
  })
}

export interface MaskOptions {
  readonly scaffold: Scaffold
  /** Descriptor of the host's null device. */
  readonly nullDevice: number
}

/** Lets a file or directory look empty. One that does not exist stays so. */
export function maskPath(root: number, path: string, options: MaskOptions): void {
  const place = findPlaceIfThere(root, path)
  if (place === undefined) return
  const source = place.stat.isDirectory() ? options.scaffold.empty : pathOf(options.nullDevice)
  mount(pathOf(place.descriptor), { source, flags: MS.BIND })
  closeSync(place.descriptor)
}

/** Makes a file or directory read-only with all that is below. */
export function protectPath(root: number, path: string): void {
  const place = findPlaceIfThere(root, path)
  if (place === undefined) return
  const target = pathOf(place.descriptor)
  mount(target, { source: target, flags: MS.BIND | MS.REC })
  closeSync(place.descriptor)
  restrictAt(root, path, { flags: NOTHING_SPECIAL | MS.RDONLY })
}

/** Restricts the mount that is at `path` now. */
function restrictAt(
  root: number,
  path: string,
  attributes: { readonly flags: number; readonly recursive?: boolean },
): void {
  const place = findPlace(root, path)
  restrictMount(pathOf(place.descriptor), attributes)
  closeSync(place.descriptor)
}

export interface BindOptions {
  readonly source: string
  readonly kind: PlaceKind
  /** `MS` attributes of the new mount. */
  readonly flags: number
  readonly onCreate: OnCreate
  /**
   * A path of ours, where the mount gets its attributes before it is moved to its target: another
   * step may be changing the way to there, where it leads through a directory that both have.
   */
  readonly staging?: string
}

/**
 * Finds where to mount, and makes it when it is missing. A link of the image may lead to its root:
 * what is mounted there would become the root of the step, without anything of ours in it.
 */
export function findTarget(root: number, target: string, options: WalkOptions): Place {
  const place = findPlace(root, target, options)
  if (place.names.length > 0) return place
  closeSync(place.descriptor)
  throw new TsbuildError(`mount ${target}: it leads to the root itself`, {
    code: 'STEP_FAILED',
    hint: 'mount it on a directory of the image, or on one that is not there yet',
  })
}

/** Shows a host file or directory at `target`, which is made when missing. */
export function bindInto(root: number, target: string, options: BindOptions): void {
  const { source, kind, flags, onCreate, staging } = options
  if (staging !== undefined) {
    if (kind === 'directory') mkdirSync(staging)
    else closeSync(openSync(staging, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY))
    mount(staging, { source, flags: MS.BIND })
    restrictMount(staging, { flags })
  }
  const place = findTarget(root, target, { create: kind, onCreate })
  try {
    if (place.stat.isDirectory() !== (kind === 'directory')) {
      const found = place.stat.isDirectory() ? 'a directory' : 'no directory'
      throw new TsbuildError(`mount ${target}: the image has ${found} there`, {
        code: 'STEP_FAILED',
        hint: `mount a ${kind} on a ${kind}`,
      })
    }
    const from = staging ?? source
    mount(pathOf(place.descriptor), { source: from, flags: staging ? MS.MOVE : MS.BIND })
  } finally {
    closeSync(place.descriptor)
  }
  if (staging === undefined) restrictAt(root, target, { flags })
}
