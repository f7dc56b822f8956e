import { isUserNamespace } from '#builder/linux'
import { STEP_PROCESSES } from '#core'
import type { ProcessSpec } from '../spec/sandbox.ts'
import {
  type ControlGroup,
  type GroupSetting,
  type GroupSystem,
  makeControlGroup,
  systemGroups,
} from './control-groups.ts'
import { DEVICE_RULES } from './device-rules.ts'
import { groupSettings } from './group-settings.ts'

/** Where a group without limits is made, so that its processes are counted there. */
const ACCOUNTED: readonly GroupSetting[] = (['memory', 'cpu'] as const).map((controller) => ({
  controller,
  v1: [],
  v2: [],
}))

/** A group for steps without limits of their own, one at a time. */
export function makeDefaultGroup(
  security: ProcessSpec['security'],
  system: GroupSystem = systemGroups(),
): ControlGroup {
  const settings = [...defaultProcesses(), ...deviceRules(security)]
  return makeControlGroup({ settings, parent: undefined }, system)
}

/**
 * A group for this step alone; `undefined` when the default one will do.
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE when a limit that was asked for cannot be had
 */
export function makeStepGroup(spec: ProcessSpec): ControlGroup | undefined {
  const { resources, cgroupParent, security } = spec
  const wanted = groupSettings(resources)
  if (wanted.length === 0 && cgroupParent === undefined) return undefined
  const settings = [
    ...(wanted.length === 0 ? ACCOUNTED : wanted),
    ...(resources.pids === undefined ? defaultProcesses() : []),
    ...deviceRules(security),
  ]
  return makeControlGroup({ settings, parent: cgroupParent }, systemGroups())
}

function defaultProcesses(): readonly GroupSetting[] {
  const line = [['pids.max', `${STEP_PROCESSES}`] as const]
  return [{ controller: 'pids', v1: line, v2: line, optional: true }]
}

/** In a user namespace the kernel opens no device that is made in it. */
function deviceRules(security: ProcessSpec['security']): readonly GroupSetting[] {
  return security === 'insecure' || isUserNamespace() ? [] : [DEVICE_RULES]
}

/** True where a step can open no device but the usual ones, whatever nodes it has. */
export function limitsDevices(group: ControlGroup): boolean {
  return !isUserNamespace() && !group.lacking.has('devices')
}
