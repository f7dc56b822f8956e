import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isPidNamespace } from '#builder/linux'
import { errnoOf, randomName, TsbuildError } from '#core'
import {
  type CgroupDir,
  type CgroupDirOptions,
  discardCgroupDir,
  groupName,
  makeCgroupDir,
  type OwnCgroupDir,
  readGroupFile,
  removeCgroupDir,
  writeGroupFile,
} from './cgroup-dir.ts'
import { attachDeviceRules } from './device-rules.ts'
import type { Controller, GroupSetting } from './group-setting.ts'
import { type UsageWatch, usageWatch } from './group-usage.ts'
import { type GroupSystem, hierarchyOf } from './hierarchies.ts'

/** A group of processes with limits. Empty when none of its settings could be made. */
export interface ControlGroup {
  /** One in each hierarchy that is concerned. */
  readonly directories: readonly CgroupDir[]
  /** Optional settings that could not be made, and why. */
  readonly lacking: ReadonlyMap<Controller, TsbuildError>
  /** How often a process was killed, or could not be started, because of a limit. */
  events(): { readonly outOfMemory: number; readonly tooManyProcesses: number }
  /** Starts counting what its processes use. */
  readonly watchUsage: UsageWatch
  /**
   * Changes settings of it.
   * @throws {TsbuildError} UNSUPPORTED where it lacks the controller, SANDBOX_UNAVAILABLE when the kernel refuses
   */
  apply(settings: readonly GroupSetting[]): void
  /** Removes it, once its processes have ended. */
  remove(): Promise<void>
}

/**
 * Makes a group in every hierarchy that a setting needs.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE where groups are missing or not ours to make
 */
export function makeControlGroup(options: CgroupDirOptions, system: GroupSystem): ControlGroup {
  const name = groupName(randomName)
  const directories = new Map<string, OwnCgroupDir>()
  const limiting = new Set<string>()
  const lacking = new Map<Controller, TsbuildError>()
  for (const setting of options.settings) {
    let made: OwnCgroupDir | undefined
    try {
      const hierarchy = hierarchyOf(setting.controller, system)
      const known = directories.get(hierarchy.mount)
      if (known === undefined) made = makeCgroupDir(hierarchy, name, without(lacking, options))
      const directory = known ?? made
      if (directory !== undefined) {
        applySetting(directory, setting)
        directories.set(hierarchy.mount, directory)
        if (setting.onlyCounts !== true) limiting.add(hierarchy.mount)
      }
    } catch (cause) {
      // A part of a setting may hold already, and be too much: no device at all, say.
      if (made !== undefined) discardCgroupDir(made)
      if (setting.onlyCounts === true) continue
      const failure = groupError(cause)
      if (setting.optional !== true || !(failure instanceof TsbuildError)) {
        for (const directory of directories.values()) discardCgroupDir(directory)
        throw failure
      }
      lacking.set(setting.controller, failure)
    }
  }
  const made = [...directories.values()].map((directory) => {
    return { ...directory, onlyCounts: !limiting.has(directory.mount) }
  })
  return groupOf(made, lacking, system)
}

/** What cannot be limited must not decide where the group is made. */
function without(
  lacking: ReadonlyMap<Controller, unknown>,
  options: CgroupDirOptions,
): CgroupDirOptions {
  const settings = options.settings.filter(({ controller }) => !lacking.has(controller))
  return { ...options, settings }
}

function groupOf(
  directories: readonly (OwnCgroupDir & CgroupDir)[],
  lacking: ReadonlyMap<Controller, TsbuildError>,
  system: GroupSystem,
): ControlGroup {
  const killed = counter(directories, /^oom_kill (\d+)$/m, ['memory.events', 'memory.oom_control'])
  const refused = counter(directories, /^max (\d+)$/m, ['pids.events'])
  return {
    directories: directories.map(({ version, path, home, mount, onlyCounts }) => {
      return { version, path, home, mount, onlyCounts }
    }),
    lacking,
    watchUsage: usageWatch(directories),
    events: () => ({ outOfMemory: killed(), tooManyProcesses: refused() }),
    apply: (settings) => {
      for (const setting of settings) applyAgain(setting, directories, system)
    },
    remove: async () => {
      for (const directory of directories) await removeCgroupDir(directory)
    },
  }
}

/** @param files that may have the number; which of them a group has does not change */
function counter(
  directories: readonly CgroupDir[],
  pattern: RegExp,
  files: readonly string[],
): () => number {
  let known: readonly (readonly [path: string, file: string])[] | undefined
  return () => {
    known ??= directories.flatMap(({ path }) => {
      return files
        .filter((file) => existsSync(join(path, file)))
        .map((file) => [path, file] as const)
    })
    for (const [path, file] of known) {
      const found = pattern.exec(readGroupFile(path, file))?.[1]
      if (found) return Number(found)
    }
    return 0
  }
}

function applySetting({ hierarchy, path, lock }: OwnCgroupDir, setting: GroupSetting): void {
  const lines = hierarchy.version === 1 ? setting.v1 : setting.v2
  if ('rules' in lines) {
    attachDeviceRules(lock, lines.rules)
    return
  }
  const chosen = lines.flatMap((line) => {
    if (!('firstOf' in line)) return [line]
    return line.firstOf.filter(([file]) => existsSync(join(path, file))).slice(0, 1)
  })
  for (const [file, value] of chosen) {
    try {
      writeGroupFile(path, file, value)
    } catch (cause) {
      throw new TsbuildError(`limit ${setting.controller}: the kernel refuses ${file} ${value}`, {
        code: 'SANDBOX_UNAVAILABLE',
        hint: 'check the value, and that this machine has what it names',
        cause,
      })
    }
  }
}

function applyAgain(
  setting: GroupSetting,
  directories: readonly OwnCgroupDir[],
  system: GroupSystem,
): void {
  const { mount } = hierarchyOf(setting.controller, system)
  const directory = directories.find((one) => one.mount === mount)
  if (directory === undefined) throw missingControllerError(setting.controller)
  try {
    applySetting(directory, setting)
  } catch (cause) {
    // One limit may not go above another one, so which is set first depends on what they were.
    if (typeof setting.v1 === 'string' || setting.v1.length < 2) throw cause
    applySetting(directory, { ...setting, v1: setting.v1.toReversed() })
  }
}

function missingControllerError(controller: Controller): TsbuildError {
  return new TsbuildError(`change ${controller}: the container's control groups do not limit it`, {
    code: 'UNSUPPORTED',
    hint: isPidNamespace() ? IN_A_CONTAINER : ON_A_MACHINE,
  })
}

const ON_A_MACHINE =
  'build as root, or in a group of your own: systemd-run --user --scope -p Delegate=yes tsbuild …'
const IN_A_CONTAINER = 'let the container write to its control groups: docker run --privileged'

function groupError(cause: unknown): unknown {
  if (cause instanceof TsbuildError || errnoOf(cause) === undefined) return cause
  return new TsbuildError('limit a step: control groups cannot be made here', {
    code: 'SANDBOX_UNAVAILABLE',
    hint: isPidNamespace() ? IN_A_CONTAINER : ON_A_MACHINE,
    cause,
  })
}
