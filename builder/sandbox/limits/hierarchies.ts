import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { TsbuildError } from '#core'
import type { Controller } from './group-setting.ts'

/** What the kernel says about this process' groups. */
export interface GroupSystem {
  /** Text of /proc/self/mountinfo. */
  readonly mounts: string
  /** Text of /proc/self/cgroup. */
  readonly own: string
}

/** A mounted tree of control groups. */
export interface Hierarchy {
  readonly version: 1 | 2
  readonly controllers: readonly string[]
  readonly mount: string
  /** The group of this process, below the mount. */
  readonly own: string
}

/** Reads what the kernel says about this process' groups. */
export function readGroupSystem(): GroupSystem {
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    own: readFileSync('/proc/self/cgroup', 'utf8'),
  }
}

/** What the second version has without a controller. */
const ALWAYS_THERE: ReadonlySet<Controller> = new Set(['devices', 'cpuacct', 'freezer', 'kill'])

/** The hierarchy that has the controller. @throws {TsbuildError} SANDBOX_UNAVAILABLE when none has */
export function hierarchyOf(controller: Controller, system: GroupSystem): Hierarchy {
  const name = (version: 1 | 2): string =>
    version === 1 && controller === 'io' ? 'blkio' : controller
  const found = hierarchies(system).find(
    ({ version, controllers }) =>
      controllers.includes(name(version)) || (version === 2 && ALWAYS_THERE.has(controller)),
  )
  if (found !== undefined) return found
  throw new TsbuildError(`limit ${controller}: this machine has no control groups for it`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'mount control groups below /sys/fs/cgroup, or build without this limit',
  })
}

/** The directory of the group that this process is in; the root's path has no slash at its end. */
export function ownDirectory({ mount, own }: Hierarchy): string {
  return resolve(join(mount, own))
}

/** A group asks for each of its controllers. */
const known = new WeakMap<GroupSystem, readonly Hierarchy[]>()

/** All of them, those of the first version first: a controller is in one hierarchy only. */
export function hierarchies(system: GroupSystem): readonly Hierarchy[] {
  const found = known.get(system) ?? parseSystem(system)
  known.set(system, found)
  return found
}

function parseSystem({ mounts, own }: GroupSystem): readonly Hierarchy[] {
  const paths = new Map(
    own.split('\n').flatMap((line) => {
      const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
      return names === undefined || path === undefined ? [] : [[names, path] as const]
    }),
  )
  const found = mounts.split('\n').flatMap((line) => parseMount(line, paths) ?? [])
  return found.toSorted((a, b) => a.version - b.version)
}

/**
 * A line of mountinfo.
 * @param paths the groups of this process, by the names of their controllers
 * @returns `undefined` for other file systems
 */
function parseMount(line: string, paths: ReadonlyMap<string, string>): Hierarchy | undefined {
  const [before = '', after = ''] = line.split(' - ')
  const [, , , root = '', mount = ''] = before.split(' ')
  const [type, , options = ''] = after.split(' ')
  const below = (path: string): string =>
    root !== '/' && path.startsWith(root) ? path.slice(root.length) : path
  if (type === 'cgroup2') {
    const listed = join(mount, 'cgroup.controllers')
    const controllers = existsSync(listed) ? readFileSync(listed, 'utf8').trim().split(/\s+/) : []
    return { version: 2, controllers, mount, own: below(paths.get('') ?? '/') }
  }
  if (type !== 'cgroup') return undefined
  const controllers = options.split(',')
  const names = [...paths.keys()].find((key) => key.split(',').some((n) => controllers.includes(n)))
  return { version: 1, controllers, mount, own: below(paths.get(names ?? '') ?? '/') }
}
