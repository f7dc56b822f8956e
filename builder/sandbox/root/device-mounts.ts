import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
} from 'node:fs'
import {
  deviceNumbers,
  isUserNamespace,
  MS,
  makeNode,
  mount,
  O_PATH,
  ownCapabilities,
  restrictMount,
} from '#builder/linux'
import { errnoOf, TsbuildError } from '#core'
import { DEVICE_LINKS, DEVICES, HOST_DEVICES, KERNEL_MEMORY } from '../filter/profile.ts'
import { NOTHING_SPECIAL } from './mount-points.ts'
import { descriptorPath } from './root-entry.ts'
import type { Scaffold } from './scaffold-paths.ts'

/** Flags for device files that no step can change: read-only, but what they are can be read and written. */
const UNCHANGEABLE = MS.NOSUID | MS.NOEXEC | MS.RDONLY

/** What a step finds in its /dev. */
export interface DevOptions {
  /** False where group 5 (tty) has no number in this user namespace. */
  readonly ttyGroup: boolean
  readonly devices: {
    /** A control group keeps the step from opening others than the usual ones. */
    readonly limited: boolean
    /** It may open all. */
    readonly all: boolean
  }
}

/** Mounts a /dev with the few devices that every program expects, in the scaffold. */
export function mountDev(scaffold: Scaffold, { devices, ttyGroup }: DevOptions): void {
  const openable = devices.limited || devices.all
  const { dev } = scaffold
  mount(dev, {
    type: 'tmpfs',
    flags: MS.NOSUID | MS.STRICTATIME | (openable ? 0 : MS.NODEV),
    data: 'mode=755,size=65536k',
  })
  for (const device of DEVICES) {
    if (openable && canMakeDevices()) makeDevice(dev, device)
    else showDevice(dev, device, scaffold)
  }
  for (const [name, to] of DEVICE_LINKS) symlinkSync(to, `${dev}/${name}`)
  if (existsSync(KERNEL_MEMORY)) symlinkSync(KERNEL_MEMORY, `${dev}/core`)
  for (const name of ['pts', 'shm', 'mqueue']) mkdirSync(`${dev}/${name}`, 0o755)
  mount(`${dev}/pts`, {
    type: 'devpts',
    flags: MS.NOSUID | MS.NOEXEC,
    data: `newinstance,ptmxmode=0666,mode=0620${ttyGroup ? ',gid=5' : ''}`,
  })
  mountQueues(`${dev}/mqueue`)
  if (devices.all) addHostDevices(dev)
}

/** Mounts the memory that processes share. @param size bytes */
export function mountShm({ dev }: Scaffold, size: number): void {
  mount(`${dev}/shm`, { type: 'tmpfs', flags: NOTHING_SPECIAL, data: `mode=1777,size=${size}` })
}

const MKNOD = 27n

let makesDevices: boolean | undefined

/** No device can be made in a user namespace, and none without the right to. */
export function canMakeDevices(): boolean {
  makesDevices ??= !isUserNamespace() && ((ownCapabilities() >> MKNOD) & 1n) === 1n
  return makesDevices
}

/** Adds the devices of the host that steps with all rights expect, as far as it has them. */
function addHostDevices(dev: string): void {
  if (!canMakeDevices()) return
  mkdirSync(`${dev}/net`, 0o755)
  for (const name of HOST_DEVICES) {
    const stat = lstatSync(`/dev/${name}`, { throwIfNoEntry: false })
    if (stat === undefined || !(stat.isCharacterDevice() || stat.isBlockDevice())) continue
    const type = stat.isBlockDevice() ? 'block' : 'character'
    const numbers = deviceNumbers(stat.rdev)
    makeNode(`${dev}/${name}`, type, { mode: stat.mode & 0o777, ...numbers })
  }
}

/**
 * Kernels may be built without message queues. In a user namespace those of the host cannot be mounted again, but
 * shown as they are there.
 */
function mountQueues(target: string): void {
  try {
    mount(target, { type: 'mqueue', flags: NOTHING_SPECIAL })
  } catch (cause) {
    if (errnoOf(cause) === 'ENODEV') return
    if (errnoOf(cause) !== 'EPERM') throw cause
    if (existsSync('/dev/mqueue')) mount(target, { source: '/dev/mqueue', flags: MS.BIND })
  }
}

type Device = (typeof DEVICES)[number]

function makeDevice(directory: string, [name, major, minor]: Device): void {
  makeNode(`${directory}/${name}`, 'character', { mode: 0o666, major, minor })
}

/**
 * Shows a device in a directory whose own devices cannot be opened. It is one of the step's own, which
 * lies where the step cannot make more of them; where no device can be made, it is the host's, and cannot
 * be changed.
 */
function showDevice(dev: string, device: Device, scaffold: Scaffold): void {
  const path = `${dev}/${device[0]}`
  closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o666))
  if (!canMakeDevices()) {
    showHostDevice(path, device)
    return
  }
  makeDevice(scaffold.devices, device)
  mount(path, { source: `${scaffold.devices}/${device[0]}`, flags: MS.BIND })
}

function showHostDevice(path: string, [name, major, minor]: Device): void {
  const source = openDevice(`/dev/${name}`, major, minor)
  try {
    mount(path, { source: descriptorPath(source), flags: MS.BIND })
    restrictMount(path, { flags: UNCHANGEABLE })
  } finally {
    closeSync(source)
  }
}

/** Opens a device of the host, after checking that it is the expected one. */
function openDevice(path: string, major: number, minor: number): number {
  const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW)
  const stat = fstatSync(descriptor)
  if (stat.isCharacterDevice() && stat.rdev === major * 256 + minor) return descriptor
  closeSync(descriptor)
  throw new TsbuildError(`${path} of the host is not the device ${major}:${minor}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: `check ${path} on this host`,
  })
}

const NULL: Device = ['null', 1, 3]

/** Makes what files are masked with. */
export function mountNothing({ nothing, devices }: Scaffold): void {
  mount(devices, { type: 'tmpfs', flags: MS.NOSUID | MS.NOEXEC, data: 'mode=755' })
  closeSync(openSync(nothing, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o666))
  if (!canMakeDevices()) {
    showHostDevice(nothing, NULL)
    return
  }
  const hidden = `${devices}/.nothing`
  makeNode(hidden, 'character', { mode: 0o666, major: NULL[1], minor: NULL[2] })
  mount(nothing, { source: hidden, flags: MS.BIND })
  restrictMount(nothing, { flags: UNCHANGEABLE })
}
