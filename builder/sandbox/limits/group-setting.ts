import type { DeviceRule } from './device-rule.ts'

/** The controllers that limit steps, or count what they use. */
export type Controller =
  | 'memory'
  | 'cpu'
  | 'cpuacct'
  | 'cpuset'
  | 'io'
  | 'pids'
  | 'devices'
  | 'freezer'
  /** Of the second version: ending all in a group at once. */
  | 'kill'

type Line = readonly [file: string, value: string]

/** Of files that depend on the kernel, the first that the group has; where it has none of them, nothing is written. */
interface FirstOf {
  readonly firstOf: readonly Line[]
}

type Lines = readonly (Line | FirstOf)[]

/** Nothing else can be opened than what one of these allows. */
export interface DeviceProgram {
  readonly rules: readonly DeviceRule[]
}

/** One limit: what to write where, in either version of control groups. */
export interface GroupSetting {
  readonly controller: Controller
  readonly v1: Lines
  /** The devices of the second version are limited by a program instead of files. */
  readonly v2: Lines | DeviceProgram
  /** Without it the group is made all the same, and `lacking` says why. */
  readonly optional?: boolean
  /** It limits nothing, so without it nothing is lacking. */
  readonly onlyCounts?: boolean
}
