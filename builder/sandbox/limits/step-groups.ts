import { existsSync } from 'node:fs'
import { isUserNamespace } from '#builder/linux'
import { STEP_PROCESSES } from '#core'
import { hostDevices } from '../filter/host-devices.ts'
import type { DeviceSetting } from '../spec/container-settings.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type { StepSpec } from '../spec/step-spec.ts'
import { removeAbandoned } from './cgroup-dir.ts'
import { type ControlGroup, makeControlGroup } from './control-groups.ts'
import { type DeviceRule, parseDeviceRule } from './device-rule.ts'
import { deviceRulesSetting } from './device-rules.ts'
import type { GroupSetting } from './group-setting.ts'
import { type GroupSystem, hierarchies, readGroupSystem } from './hierarchies.ts'
import { groupSettings } from './resource-settings.ts'

/** The hierarchies of a group without limits, so that its processes are counted there. */
const ACCOUNTED: readonly GroupSetting[] = (['memory', 'cpu'] as const).map((controller) => ({
  controller,
  v1: [],
  v2: [],
}))

/** So that it can be said what a step has used. */
const COUNTED: readonly GroupSetting[] = (['memory', 'cpuacct'] as const).map((controller) => ({
  controller,
  v1: [],
  v2: [],
  onlyCounts: true,
}))

/** Makes a group for steps without limits of their own, one at a time. */
export function makeDefaultGroup(
  security: ProcessSpec['security'],
  system: GroupSystem = readGroupSystem(),
): ControlGroup {
  const settings = [...defaultProcesses(), ...deviceRules(security), ...COUNTED]
  return makeControlGroup({ settings, parent: undefined }, system)
}

/**
 * Makes a group for this step alone; `undefined` when the default one will do.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE when a requested limit cannot be set
 */
export function makeStepGroup(spec: StepSpec): ControlGroup | undefined {
  const { resources, cgroupParent, security } = spec
  if (spec.container !== undefined) return makeContainerGroup(spec)
  const wanted = groupSettings(resources)
  if (wanted.length === 0 && cgroupParent === undefined) return undefined
  const settings = [
    ...(wanted.length === 0 ? ACCOUNTED : wanted),
    ...(resources.pids === undefined ? defaultProcesses() : []),
    ...deviceRules(security),
    ...COUNTED,
  ]
  return makeControlGroup({ settings, parent: cgroupParent }, readGroupSystem())
}

/** Those by which a container may use devices of the host. */
function rulesOf(setting: DeviceSetting): readonly DeviceRule[] {
  const { permissions: access } = setting
  return hostDevices(setting).map(({ type, major, minor }) => ({ type, major, minor, access }))
}

/** What is asked of a container while it runs. */
const OF_CONTAINERS: readonly GroupSetting[] = (
  ['memory', 'cpu', 'cpuacct', 'io', 'pids', 'freezer', 'kill'] as const
).map((controller) => ({ controller, v1: [], v2: [], optional: true }))

/** A container has a group of its own always, as far as this host has any. */
function makeContainerGroup(spec: StepSpec): ControlGroup {
  const { resources, cgroupParent, security, container = {} } = spec
  const { devices = [], deviceRules: rules = [] } = container
  const more = [...devices.flatMap(rulesOf), ...rules.map(parseDeviceRule)]
  const settings = [...groupSettings(resources), ...deviceRules(security, more), ...OF_CONTAINERS]
  const options = { settings, parent: cgroupParent, isOneOfMany: true }
  return makeControlGroup(options, readGroupSystem())
}

function defaultProcesses(): readonly GroupSetting[] {
  const line = [['pids.max', `${STEP_PROCESSES}`] as const]
  return [{ controller: 'pids', v1: line, v2: line, optional: true }]
}

/**
 * Removes the groups of builders that were killed, in hierarchies that this build may not use, too. Those below
 * a parent that was asked for are removed by the next build that asks for it.
 */
export function removeAbandonedGroups(): void {
  removeAbandoned(hierarchies(readGroupSystem()))
}

/** In a user namespace the kernel opens no device that is made in it. */
function deviceRules(
  security: ProcessSpec['security'],
  more: readonly DeviceRule[] = [],
): readonly GroupSetting[] {
  return security === 'insecure' || isUserNamespace() ? [] : [deviceRulesSetting(more)]
}

/** Whether the group keeps its processes from opening devices other than the usual ones. */
export function limitsDevices(group: ControlGroup): boolean {
  return !isUserNamespace() && !group.lacking.has('devices')
}

const V1_WRITES = 'blkio.throttle.write_bps_device'

/** Whether the group limits I/O as control groups of the first version do: not what is written to files. */
export function limitsOnlyDirectIo({ directories }: ControlGroup): boolean {
  return directories.some(
    ({ version, path }) => version === 1 && existsSync(`${path}/${V1_WRITES}`),
  )
}
