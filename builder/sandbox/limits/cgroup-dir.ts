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
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { lockFile, SystemError } from '#builder/linux'
import { errnoOf, randomName } from '#core'
import type { GroupSetting } from './group-setting.ts'
import { type Hierarchy, ownDirectory } from './hierarchies.ts'

/** The directory of a control group: how a process gets in depends on the version. */
export interface CgroupDir {
  readonly version: 1 | 2
  readonly path: string
  /** The directory of the group that the builder itself is in. */
  readonly home: string
  /** Where the hierarchy is mounted. */
  readonly mount: string
  /** It limits nothing: a step need not see it. */
  readonly onlyCounts: boolean
}

/**
 * The file to which a thread that has no others writes 0 to enter. With the first version not that of processes: what
 * moves a process waits some milliseconds for all of the machine's, and a thread that moves itself does not.
 */
export function entranceOf({ version, path }: Pick<CgroupDir, 'version' | 'path'>): string {
  return join(path, version === 1 ? 'tasks' : 'cgroup.procs')
}

/** One that this builder has made. */
export interface OwnCgroupDir extends Omit<CgroupDir, 'onlyCounts'> {
  readonly hierarchy: Hierarchy
  /** Descriptor of the directory, locked for as long as the builder lives. */
  readonly lock: number
  /** An empty group beside it, which keeps its controllers on. */
  readonly holder: LockedDir | undefined
}

interface LockedDir {
  readonly path: string
  readonly lock: number
}

/** Where and for what a directory is made. */
export interface CgroupDirOptions {
  readonly settings: readonly GroupSetting[]
  /** From the root of the hierarchy; default: where this process is. */
  readonly parent: string | undefined
  /** What builders have left there is looked for by the first of many groups only. Default: false. */
  readonly isOneOfMany?: boolean
}

/** Names of our groups. The rest is random: no two builders, on any machine, make the same. */
const PREFIX = 'tsbuild-'
const RANDOM_LENGTH = 12
const OWN_NAME = new RegExp(`^${PREFIX}[0-9a-z]{${RANDOM_LENGTH}}$`)

/** A new name for a group. @param random makes so many characters of `0-9a-z` */
export function groupName(random: (length: number) => string): string {
  return `${PREFIX}${random(RANDOM_LENGTH)}`
}

/** Where this process has removed what others had left. */
const swept = new Set<string>()

/** Makes the directory `name` in a hierarchy, with its controllers on, and removes those of builders that have ended. */
export function makeCgroupDir(
  hierarchy: Hierarchy,
  name: string,
  options: CgroupDirOptions,
): OwnCgroupDir {
  const { mount, version } = hierarchy
  const { base, switchedOn } = baseOf(hierarchy, options)
  if (options.isOneOfMany !== true || !swept.has(base)) removeLeftovers(base)
  swept.add(base)
  const path = join(base, name)
  const lock = makeLocked(path)
  try {
    if (version === 1 && hierarchy.controllers.includes('cpuset')) inheritCpuset(mount, path)
    const holder = switchedOn.length === 0 ? undefined : holdControllers(base, switchedOn)
    return { hierarchy, version, path, home: ownDirectory(hierarchy), mount, lock, holder }
  } catch (cause) {
    removeIfEmpty(path)
    closeSync(lock)
    throw cause
  }
}

/**
 * systemd switches controllers off that none of its own units needs, and the limits of our groups would go with
 * them. The kernel refuses that while one of the groups has them on for groups of its own, which a group with
 * processes cannot.
 */
function holdControllers(base: string, controllers: readonly string[]): LockedDir {
  const path = join(base, groupName(randomName))
  const holder = { path, lock: makeLocked(path) }
  try {
    writeGroupFile(path, 'cgroup.subtree_control', additionOf(controllers))
    return holder
  } catch (cause) {
    discard(holder)
    throw cause
  }
}

/**
 * Makes a directory and locks it. Another builder that looks for leftovers may remove it in between.
 * @returns the lock
 */
function makeLocked(path: string): number {
  for (;;) {
    mkdirSync(path, { recursive: true })
    const lock = openIfThere(path)
    if (lock === undefined) continue
    if (lockFile(lock) && existsSync(path)) return lock
    closeSync(lock)
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}

/** Removes a directory that no process has been in. */
export function discardCgroupDir(directory: OwnCgroupDir): void {
  discard(directory)
  if (directory.holder !== undefined) discard(directory.holder)
}

function discard({ path, lock }: LockedDir): void {
  removeIfEmpty(path)
  closeSync(lock)
}

const REMOVE_TRIES = 50

/** Removes a directory whose processes have ended: the kernel counts them a little longer. */
export async function removeCgroupDir({ path, lock, holder }: OwnCgroupDir): Promise<void> {
  if (holder !== undefined) discard(holder)
  for (let tries = 0; tries < REMOVE_TRIES && !removeIfEmpty(path); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  closeSync(lock)
}

/** Reads a file of a group. */
export function readGroupFile(directory: string, file: string): string {
  return readFileSync(join(directory, file), 'utf8')
}

/** Writes a file of a group. */
export function writeGroupFile(directory: string, file: string, value: string): void {
  writeFileSync(join(directory, file), value)
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

/** A group in which ours is made. */
interface Base {
  readonly base: string
  /** The controllers that limit groups in it: none in the first version, where a mount has its own. */
  readonly switchedOn: readonly string[]
}

function baseOf(hierarchy: Hierarchy, { parent, settings }: CgroupDirOptions): Base {
  if (parent === undefined) {
    if (hierarchy.version === 1) return { base: ownDirectory(hierarchy), switchedOn: [] }
    return delegatedBase(hierarchy, settings)
  }
  const base = join(hierarchy.mount, parent)
  mkdirSync(base, { recursive: true })
  return { base, switchedOn: hierarchy.version === 1 ? [] : enableAll(base, hierarchy, settings) }
}

/** Removes the groups of builders that were killed, wherever one like this process makes them. */
export function removeAbandoned(hierarchies: readonly Hierarchy[]): void {
  for (const hierarchy of hierarchies) {
    const own = ownDirectory(hierarchy)
    for (const base of hierarchy.version === 1 ? [own] : upwards(own, hierarchy.mount)) {
      try {
        removeLeftovers(base)
      } catch {
        // No group of ours is where this process may not look.
      }
    }
  }
}

/** A directory and those above it, up to `top`. */
function upwards(path: string, top: string): readonly string[] {
  return path.startsWith(`${top}/`) ? [path, ...upwards(dirname(path), top)] : [path]
}

/**
 * Removes the groups of builders that were killed: a running builder holds the lock of its groups,
 * whatever namespaces it is in. A group with processes in it cannot be removed.
 */
function removeLeftovers(base: string): void {
  for (const name of readdirSync(base)) {
    if (!OWN_NAME.test(name)) continue
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
    if (readGroupFile(path, file).trim() !== '') continue
    writeGroupFile(path, file, readGroupFile(above, file).trim())
  }
}

/**
 * The nearest group above this process that may have groups with limits in it: one that has processes
 * of its own may not, except for the root.
 */
function delegatedBase(hierarchy: Hierarchy, settings: readonly GroupSetting[]): Base {
  const { mount } = hierarchy
  const wanted = controllersOf(settings, hierarchy)
  let failure: unknown
  for (let base = ownDirectory(hierarchy); base.startsWith(mount); base = dirname(base)) {
    try {
      refuseOccupied(base, wanted)
      return { base, switchedOn: enableAll(base, hierarchy, settings) }
    } catch (cause) {
      failure = cause
    }
    if (base === mount) break
  }
  throw failure
}

/**
 * Lets groups in `base` have what must limit them, and as far as possible what may, and what counts: systemd gives
 * an ordinary user memory and processes, but not the I/O of disks.
 * @returns the controllers that limit
 * @throws when one that must cannot be had, or none of those that may
 */
function enableAll(
  base: string,
  hierarchy: Hierarchy,
  settings: readonly GroupSetting[],
): readonly string[] {
  const { mount, controllers } = hierarchy
  const needed = controllersOf(
    settings.filter(({ optional }) => optional !== true),
    hierarchy,
  )
  enable(mount, base, needed)
  const useful = controllersOf(settings, hierarchy).filter((name) => !needed.includes(name))
  const failures = useful.map((name) => failureOf(() => enable(mount, base, [name])))
  const had = useful.filter((_, index) => failures[index] === undefined)
  if (useful.length > 0 && needed.length + had.length === 0) throw failures[0]
  for (const { controller, onlyCounts } of settings) {
    if (onlyCounts !== true || !controllers.includes(controller)) continue
    // Nothing is limited less for a failure.
    failureOf(() => enable(mount, base, [controller]))
  }
  return [...needed, ...had]
}

function failureOf(task: () => void): unknown {
  try {
    task()
    return undefined
  } catch (cause) {
    return cause
  }
}

/**
 * Some controllers can be switched on in a group with processes, but then no process can be moved to the groups
 * in it. The root of the machine, which has no type, is exempt.
 * Spec: Linux, Documentation/admin-guide/cgroup-v2.rst, threads
 */
function refuseOccupied(path: string, wanted: readonly string[]): void {
  if (!existsSync(join(path, 'cgroup.type')) || readGroupFile(path, 'cgroup.procs') === '') return
  const hasControllers = readGroupFile(path, 'cgroup.subtree_control').trim() !== ''
  if (wanted.length === 0 && !hasControllers) return
  throw new SystemError(constants.errno.EBUSY, 'limit groups in one with processes', path)
}

/** Lets groups in `base` have the controllers, and so all groups above it. */
function enable(mount: string, base: string, controllers: readonly string[]): void {
  if (base !== mount && base.startsWith(`${mount}/`)) enable(mount, dirname(base), controllers)
  const enabled = readGroupFile(base, 'cgroup.subtree_control').trim().split(/\s+/)
  const missing = controllers.filter((name) => !enabled.includes(name))
  if (missing.length === 0) return
  writeGroupFile(base, 'cgroup.subtree_control', additionOf(missing))
}

function additionOf(controllers: readonly string[]): string {
  return controllers.map((name) => `+${name}`).join(' ')
}

/** The controllers that must be switched on for limits; devices need not be. */
function controllersOf(
  settings: readonly GroupSetting[],
  { controllers }: Hierarchy,
): readonly string[] {
  const limits = settings.filter(({ onlyCounts }) => onlyCounts !== true)
  const names = new Set(limits.map(({ controller }) => controller))
  return [...names].filter((name) => controllers.includes(name))
}
