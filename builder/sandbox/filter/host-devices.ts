import { lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { deviceNumbers } from '#builder/linux'
import { errnoOf, ioError, TsbuildError } from '#core'
import type { DeviceSetting } from '../spec/container-settings.ts'

/** A device file of the host, and where it is in a container. */
export interface HostDevice {
  readonly source: string
  readonly target: string
  readonly type: 'c' | 'b'
  readonly major: number
  readonly minor: number
  readonly uid: number
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
}

/** What a container has of its own there, and what other programs of the host keep there. */
const OWN: ReadonlySet<string> = new Set(
  'pts shm fd mqueue console .lxc .lxd-mounts .udev'.split(' '),
)

/** All devices of the host. */
export function allHostDevices(): readonly HostDevice[] {
  return readdirSync('/dev').flatMap((name) => {
    if (OWN.has(name)) return []
    return devicesAt(`/dev/${name}`, `/dev/${name}`)
  })
}

/** A device, or all in a directory. @throws {TsbuildError} USAGE where there is none */
export function hostDevices(setting: DeviceSetting): readonly HostDevice[] {
  const { source, target, permissions } = setting
  if (!/^[rwm]{1,3}$/.test(permissions)) throw deviceError(setting, 'invalid permissions')
  const stat = statOf(setting)
  if (stat.isDirectory()) return devicesAt(source, target)
  const device = deviceOf(stat, source, target)
  if (device === undefined) throw deviceError(setting, 'not a device node')
  return [device]
}

function statOf(setting: DeviceSetting): Stats {
  try {
    return statSync(setting.source)
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') throw deviceError(setting, 'no such file or directory')
    throw ioError(`look at the device ${setting.source}`, cause)
  }
}

/** What is at a path or below it; what goes away meanwhile, or cannot be looked at, is left out. */
function devicesAt(source: string, target: string): readonly HostDevice[] {
  try {
    const stat = lstatSync(source)
    const device = deviceOf(stat, source, target)
    if (device !== undefined) return [device]
    if (!stat.isDirectory()) return []
    return readdirSync(source).flatMap((name) =>
      devicesAt(`${source}/${name}`, `${target}/${name}`),
    )
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return []
  }
}

function deviceOf(stat: Stats, source: string, target: string): HostDevice | undefined {
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return undefined
  const { uid, gid } = stat
  const type = stat.isBlockDevice() ? 'b' : 'c'
  const numbers = deviceNumbers(stat.rdev)
  return { source, target, type, uid, gid, mode: stat.mode & 0o777, ...numbers }
}

function deviceError({ source }: DeviceSetting, reason: string): TsbuildError {
  return new TsbuildError(
    `error gathering device information while adding custom device "${source}": ${reason}`,
    { code: 'USAGE' },
  )
}
