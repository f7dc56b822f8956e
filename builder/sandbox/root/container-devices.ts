/** Devices of the host in a container, and its console. */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { MS, makeNode, mount } from '#builder/linux'
import { allHostDevices, type HostDevice, hostDevices } from '../filter/host-devices.ts'
import type { ContainerSettings } from '../spec/container-settings.ts'
import { canMakeDevices } from './device-mounts.ts'
import { findTarget, type OnCreate } from './mount-points.ts'
import { descriptorPath } from './root-entry.ts'
import type { Scaffold } from './scaffold-paths.ts'

/** Where the devices are shown. */
export interface DevicesInput {
  readonly scaffold: Scaffold
  readonly container: Pick<ContainerSettings, 'privileged' | 'devices'>
  /** Devices in its /dev can be opened. */
  readonly openable: boolean
}

/** Adds devices below /dev, before that is moved into the root. @throws {TsbuildError} USAGE */
export function addDevices(input: DevicesInput): void {
  for (const device of wantedDevices(input)) {
    if (isInDev(device)) addDevice(device, input)
  }
}

/** Shows devices elsewhere in the root. */
export function showDevices(root: number, input: DevicesInput, onCreate: OnCreate): void {
  if (input.container.devices === undefined) return
  for (const [index, device] of wantedDevices(input).entries()) {
    if (isInDev(device)) continue
    const source = canMakeDevices()
      ? makeIn(`${input.scaffold.devices}/${index}`, device)
      : device.source
    const entry = findTarget(root, device.target, { create: 'file', onCreate })
    mount(descriptorPath(entry.descriptor), { source, flags: MS.BIND })
    closeSync(entry.descriptor)
  }
}

/** Shows the terminal of a container, which is the first of its own, as its console. */
export function showConsole({ dev }: Scaffold): void {
  makeFile(`${dev}/console`)
  mount(`${dev}/console`, { source: `${dev}/pts/0`, flags: MS.BIND })
}

function wantedDevices({ container }: DevicesInput): readonly HostDevice[] {
  const { privileged = false, devices = [] } = container
  // In a user namespace the host's devices stay what its users may open.
  const all = privileged && canMakeDevices() ? allHostDevices() : []
  return [...all, ...devices.flatMap(hostDevices)]
}

function isInDev({ target }: HostDevice): boolean {
  return target.startsWith('/dev/') && !target.split('/').includes('..')
}

function addDevice(device: HostDevice, { scaffold, openable }: DevicesInput): void {
  const path = `${scaffold.base}${device.target}`
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  if (openable && canMakeDevices()) {
    makeIn(path, device)
    return
  }
  makeFile(path)
  const hidden = `${scaffold.devices}/${device.target.replaceAll('/', '-')}`
  const source = canMakeDevices() ? makeIn(hidden, device) : device.source
  mount(path, { source, flags: MS.BIND })
}

function makeIn(path: string, { type, uid, gid, ...device }: HostDevice): string {
  makeNode(path, type === 'b' ? 'block' : 'character', device)
  chownSync(path, uid, gid)
  chmodSync(path, device.mode)
  return path
}

function makeFile(path: string): void {
  closeSync(openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600))
}
