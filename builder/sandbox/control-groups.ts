import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errnoOf, TsbuildError } from '#core'

/** What the kernel says about this process' groups. */
export interface GroupSystem {
  /** Text of /proc/self/mountinfo. */
  readonly mounts: string
  /** Text of /proc/self/cgroup. */
  readonly own: string
}

export type Controller = 'memory' | 'cpu' | 'cpuset' | 'pids'

/** One limit: what to write where, in either version of control groups. */
export interface GroupSetting {
  readonly controller: Controller
  readonly v1: readonly (readonly [file: string, value: string])[]
  readonly v2: readonly (readonly [file: string, value: string])[]
}

export interface GroupOptions {
  readonly settings: readonly GroupSetting[]
  /** Where the group is made, from the root of the hierarchy; default: where this process is. */
  readonly parent: string | undefined
}

/** A group of processes with limits. */
export interface ControlGroup {
  /** Takes a process in; what it starts from then on is in, too. */
  add(pid: number): void
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

/** Names of our groups, so that those of dead processes can be told and removed. */
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
export function makeControlGroup(
  name: string,
  options: GroupOptions,
  system: GroupSystem,
): ControlGroup {
  const places = new Map<string, Place>()
  try {
    for (const setting of options.settings) {
      const hierarchy = hierarchyOf(setting.controller, system)
      const known = places.get(hierarchy.mount)
      const place = known ?? makePlace(hierarchy, name, options)
      places.set(hierarchy.mount, place)
      applySetting(place, setting)
    }
  } catch (cause) {
    for (const { path } of places.values()) removeIfEmpty(path)
    throw notAllowed(cause)
  }
  return groupAt([...places.values()])
}

interface Place {
  readonly hierarchy: Hierarchy
  readonly path: string
}

function groupAt(places: readonly Place[]): ControlGroup {
  return {
    add: (pid) => {
      for (const { path } of places) writeFileSync(join(path, 'cgroup.procs'), `${pid}`)
    },
    events: () => ({
      outOfMemory: count(places, /^oom_kill (\d+)$/m, ['memory.events', 'memory.oom_control']),
      tooManyProcesses: count(places, /^max (\d+)$/m, ['pids.events']),
    }),
    remove: async () => {
      for (const { path } of places) await removeWhenEmpty(path)
    },
  }
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
  const { mount, own, version } = hierarchy
  const base =
    options.parent !== undefined
      ? join(mount, options.parent)
      : version === 1
        ? join(mount, own)
        : delegatedBase(hierarchy, options.settings)
  mkdirSync(base, { recursive: true })
  removeLeftovers(base)
  if (version === 2) enable(mount, base, controllersOf(options.settings, hierarchy))
  const path = join(base, `${PREFIX}${name}`)
  mkdirSync(path, { recursive: true })
  if (version === 1 && hierarchy.controllers.includes('cpuset')) inheritCpuset(mount, path)
  return { hierarchy, path }
}

/** Groups of processes that were killed: they are empty, and others cannot be removed. */
function removeLeftovers(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = /^tsbuild-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeIfEmpty(join(base, name))
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

function applySetting({ hierarchy, path }: Place, setting: GroupSetting): void {
  for (const [file, value] of hierarchy.version === 1 ? setting.v1 : setting.v2) {
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
  const { mount, own } = hierarchy
  const wanted = controllersOf(settings, hierarchy)
  let failure: unknown
  for (let path = join(mount, own); path.startsWith(mount); path = dirname(path)) {
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

/** Lets groups in `base` have the controllers, and so all groups above it. */
function enable(mount: string, base: string, controllers: readonly string[]): void {
  if (base !== mount && base.startsWith(`${mount}/`)) enable(mount, dirname(base), controllers)
  const enabled = read(base, 'cgroup.subtree_control').trim().split(/\s+/)
  const missing = controllers.filter((name) => !enabled.includes(name))
  if (missing.length === 0) return
  write(base, 'cgroup.subtree_control', missing.map((name) => `+${name}`).join(' '))
}

function controllersOf(
  settings: readonly GroupSetting[],
  { controllers }: Hierarchy,
): readonly string[] {
  const names = new Set(settings.map(({ controller }) => controller))
  return [...names].filter((name) => controllers.includes(name))
}

function hierarchyOf(controller: Controller, system: GroupSystem): Hierarchy {
  const found = hierarchies(system).find(({ controllers }) => controllers.includes(controller))
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

/**
 * Puts the calling thread, and only it, into a group that limits how many processes there may be: all
 * that it starts are counted. Only the first version of control groups can do that to a thread.
 * @param thread its id; the group goes by this name
 * @returns where the group is; `undefined` where that is not possible
 */
export function limitThread(thread: number, processes: number): string | undefined {
  try {
    const system = systemGroups()
    const hierarchy = hierarchies(system).find(({ controllers }) => controllers.includes('pids'))
    if (hierarchy?.version !== 1) return undefined
    const base = join(hierarchy.mount, hierarchy.own)
    removeLeftovers(base)
    const path = join(base, `${PREFIX}${process.pid}-thread-${thread}`)
    mkdirSync(path)
    write(path, 'pids.max', `${processes}`)
    write(path, 'tasks', `${thread}`)
    return path
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    return undefined
  }
}

/** Undoes `limitThread`, from the thread itself. */
export function releaseThread(thread: number, group: string): void {
  try {
    write(dirname(group), 'tasks', `${thread}`)
    rmdirSync(group)
  } catch (cause) {
    // The next builder removes it.
    if (errnoOf(cause) === undefined) throw cause
  }
}
