import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { lockFile } from '#builder/linux'
import { errnoOf, randomName, TsbuildError } from '#core'
import { attachDeviceRules } from './device-rules.ts'

/** What the kernel says about this process' groups. */
export interface GroupSystem {
  /** Text of /proc/self/mountinfo. */
  readonly mounts: string
  /** Text of /proc/self/cgroup. */
  readonly own: string
}

export type Controller = 'memory' | 'cpu' | 'cpuset' | 'pids' | 'devices'

type Lines = readonly (readonly [file: string, value: string])[]

/** One limit: what to write where, in either version of control groups. */
export interface GroupSetting {
  readonly controller: Controller
  readonly v1: Lines
  /** The devices of the second version are limited by a program instead of files. */
  readonly v2: Lines | 'device-rules'
  /** Without it the group is made all the same, and `lacking` says why. */
  readonly optional?: boolean
}

export interface GroupOptions {
  readonly settings: readonly GroupSetting[]
  /** Where the group is made, from the root of the hierarchy; default: where this process is. */
  readonly parent: string | undefined
}

/** A directory of a group: how a process gets in depends on the version. */
export interface GroupPlace {
  readonly version: 1 | 2
  readonly path: string
  /** The directory of the group that the builder itself is in. */
  readonly home: string
  /** Where the hierarchy is mounted. */
  readonly mount: string
}

/** A group of processes with limits. Empty when none of its settings could be had. */
export interface ControlGroup {
  /** One in each hierarchy that is concerned. */
  readonly places: readonly GroupPlace[]
  /** Optional settings that could not be made, and why. */
  readonly lacking: ReadonlyMap<Controller, TsbuildError>
  /** How often a process was killed, or could not be started, because of a limit. */
  events(): { readonly outOfMemory: number; readonly tooManyProcesses: number }
  /** Once nothing runs in it any more. */
  remove(): Promise<void>
}

interface Hierarchy {
  readonly version: 1 | 2
  readonly controllers: readonly string[]
  readonly mount: string
  /** Of this process, below the mount. */
  readonly own: string
}

/** Names of our groups. The rest is random: no two builders, on no machine, make the same. */
const PREFIX = 'tsbuild-'

export function systemGroups(): GroupSystem {
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    own: readFileSync('/proc/self/cgroup', 'utf8'),
  }
}

/**
 * Makes a group in every hierarchy that a setting needs.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE where groups are missing or not ours to make
 */
export function makeControlGroup(options: GroupOptions, system: GroupSystem): ControlGroup {
  const name = `${PREFIX}${randomName(12)}`
  const places = new Map<string, Place>()
  const lacking = new Map<Controller, TsbuildError>()
  for (const setting of options.settings) {
    let made: Place | undefined
    try {
      const hierarchy = hierarchyOf(setting.controller, system)
      const place = places.get(hierarchy.mount) ?? makePlace(hierarchy, name, options)
      if (!places.has(hierarchy.mount)) made = place
      applySetting(place, setting)
      places.set(hierarchy.mount, place)
    } catch (cause) {
      // A part of a setting may hold already, and be too much: no device at all, say.
      if (made !== undefined) removePlace(made)
      const failure = notAllowed(cause)
      if (setting.optional !== true || !(failure instanceof TsbuildError)) {
        for (const place of places.values()) removePlace(place)
        throw failure
      }
      lacking.set(setting.controller, failure)
    }
  }
  return groupAt([...places.values()], lacking)
}

interface Place extends GroupPlace {
  readonly hierarchy: Hierarchy
  /** Of the directory, locked for as long as the builder lives. */
  readonly lock: number
}

function groupAt(
  places: readonly Place[],
  lacking: ReadonlyMap<Controller, TsbuildError>,
): ControlGroup {
  return {
    places: places.map(({ version, path, home, mount }) => ({ version, path, home, mount })),
    lacking,
    events: () => ({
      outOfMemory: count(places, /^oom_kill (\d+)$/m, ['memory.events', 'memory.oom_control']),
      tooManyProcesses: count(places, /^max (\d+)$/m, ['pids.events']),
    }),
    remove: async () => {
      for (const place of places) {
        await removeWhenEmpty(place.path)
        closeSync(place.lock)
      }
    },
  }
}

function removePlace({ path, lock }: Place): void {
  removeIfEmpty(path)
  closeSync(lock)
}

function count(places: readonly Place[], pattern: RegExp, files: readonly string[]): number {
  for (const { path } of places) {
    for (const file of files) {
      const found = existsSync(join(path, file)) && pattern.exec(read(path, file))?.[1]
      if (found) return Number(found)
    }
  }
  return 0
}

const REMOVE_TRIES = 50

/** The kernel counts processes a little longer than they live. */
async function removeWhenEmpty(path: string): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES; tries++) {
    if (removeIfEmpty(path)) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** False while a process is in it. */
function removeIfEmpty(path: string): boolean {
  try {
    rmdirSync(path)
    return true
  } catch (cause) {
    return errnoOf(cause) === 'ENOENT'
  }
}

function makePlace(hierarchy: Hierarchy, name: string, options: GroupOptions): Place {
  const { mount, version } = hierarchy
  const base =
    options.parent !== undefined
      ? join(mount, options.parent)
      : version === 1
        ? directoryOf(hierarchy)
        : delegatedBase(hierarchy, options.settings)
  mkdirSync(base, { recursive: true })
  removeLeftovers(base)
  if (version === 2) enable(mount, base, controllersOf(options.settings, hierarchy))
  const path = join(base, name)
  mkdirSync(path)
  try {
    const lock = openSync(path, 'r')
    lockFile(lock)
    if (version === 1 && hierarchy.controllers.includes('cpuset')) inheritCpuset(mount, path)
    return { hierarchy, version, path, home: directoryOf(hierarchy), mount, lock }
  } catch (cause) {
    removeIfEmpty(path)
    throw cause
  }
}

/**
 * Removes the groups of builders that were killed. The kernel tells them: a living one holds the lock
 * of its groups, whatever namespaces it is in. A group with processes in it cannot be removed.
 */
function removeLeftovers(base: string): void {
  for (const name of readdirSync(base)) {
    if (!/^tsbuild-[0-9a-z]{12}$/.test(name)) continue
    const path = join(base, name)
    try {
      const lock = openSync(path, 'r')
      if (lockFile(lock)) removeIfEmpty(path)
      closeSync(lock)
    } catch (cause) {
      // Another builder was faster.
      if (errnoOf(cause) !== 'ENOENT') throw cause
    }
  }
}

/** Nothing can run in a group that has no CPUs or memory nodes, and a new one has none. */
function inheritCpuset(mount: string, path: string): void {
  const above = dirname(path)
  if (above !== mount && above.startsWith(mount)) inheritCpuset(mount, above)
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (read(path, file).trim() === '') write(path, file, read(above, file).trim())
  }
}

function applySetting({ hierarchy, path, lock }: Place, setting: GroupSetting): void {
  const lines = hierarchy.version === 1 ? setting.v1 : setting.v2
  if (lines === 'device-rules') {
    attachDeviceRules(lock)
    return
  }
  for (const [file, value] of lines) {
    try {
      write(path, file, value)
    } catch (cause) {
      throw new TsbuildError(`limit ${setting.controller}: the kernel refuses ${file} ${value}`, {
        code: 'SANDBOX_UNAVAILABLE',
        hint: 'check the value, and that this machine has what it names',
        cause,
      })
    }
  }
}

/**
 * The nearest group above this process that may have groups with limits in it: one that has processes
 * of its own may not, but for the root.
 */
function delegatedBase(hierarchy: Hierarchy, settings: readonly GroupSetting[]): string {
  const { mount } = hierarchy
  const wanted = controllersOf(settings, hierarchy)
  let failure: unknown
  for (let path = directoryOf(hierarchy); path.startsWith(mount); path = dirname(path)) {
    try {
      enable(mount, path, wanted)
      return path
    } catch (cause) {
      failure = cause
    }
    if (path === mount) break
  }
  throw failure
}

/** Of the group that this process is in; the root's path has no slash at its end. */
function directoryOf({ mount, own }: Hierarchy): string {
  return resolve(join(mount, own))
}

/** Lets groups in `base` have the controllers, and so all groups above it. */
function enable(mount: string, base: string, controllers: readonly string[]): void {
  if (base !== mount && base.startsWith(`${mount}/`)) enable(mount, dirname(base), controllers)
  const enabled = read(base, 'cgroup.subtree_control').trim().split(/\s+/)
  const missing = controllers.filter((name) => !enabled.includes(name))
  if (missing.length === 0) return
  write(base, 'cgroup.subtree_control', missing.map((name) => `+${name}`).join(' '))
}

/** What must be switched on for the group: devices need not. */
function controllersOf(
  settings: readonly GroupSetting[],
  { controllers }: Hierarchy,
): readonly string[] {
  const names = new Set(settings.map(({ controller }) => controller))
  return [...names].filter((name) => controllers.includes(name))
}

function hierarchyOf(controller: Controller, system: GroupSystem): Hierarchy {
  const found = hierarchies(system).find(
    ({ version, controllers }) =>
      controllers.includes(controller) || (version === 2 && controller === 'devices'),
  )
  if (found !== undefined) return found
  throw new TsbuildError(`limit ${controller}: this machine has no control groups for it`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'mount control groups below /sys/fs/cgroup, or build without this limit',
  })
}

/** Those of the first version come first: a controller is in one hierarchy only. */
function hierarchies({ mounts, own }: GroupSystem): readonly Hierarchy[] {
  const paths = new Map(
    own.split('\n').flatMap((line) => {
      const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
      return names === undefined || path === undefined ? [] : [[names, path] as const]
    }),
  )
  const found = mounts.split('\n').flatMap((line): readonly Hierarchy[] => {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '', mount = ''] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    const below = (path: string): string =>
      root !== '/' && path.startsWith(root) ? path.slice(root.length) : path
    if (type === 'cgroup2') {
      const listed = join(mount, 'cgroup.controllers')
      const controllers = existsSync(listed) ? readFileSync(listed, 'utf8').trim().split(/\s+/) : []
      return [{ version: 2, controllers, mount, own: below(paths.get('') ?? '/') }]
    }
    if (type !== 'cgroup') return []
    const controllers = options.split(',')
    const names = [...paths.keys()].find((key) =>
      key.split(',').some((n) => controllers.includes(n)),
    )
    return [{ version: 1, controllers, mount, own: below(paths.get(names ?? '') ?? '/') }]
  })
  return found.toSorted((a, b) => a.version - b.version)
}

function read(directory: string, file: string): string {
  return readFileSync(join(directory, file), 'utf8')
}

function write(directory: string, file: string, value: string): void {
  writeFileSync(join(directory, file), value)
}

function notAllowed(cause: unknown): unknown {
  if (cause instanceof TsbuildError || errnoOf(cause) === undefined) return cause
  return new TsbuildError('limit a step: control groups cannot be made here', {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'build as root, or in a group of your own: systemd-run --user --scope -p Delegate=yes tsbuild …',
    cause,
  })
}
