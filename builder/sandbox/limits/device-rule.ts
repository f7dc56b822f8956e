import { TsbuildError } from '#core'

/** Devices that the processes of a group may use, and what they may do. */
export interface DeviceRule {
  readonly type: 'c' | 'b' | 'a'
  /** Absent: any. */
  readonly major?: number | undefined
  readonly minor?: number | undefined
  /** Some of `r`, `w` and `m`. */
  readonly access: string
}

const RULE = /^([abc]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/

/** Reads `c 1:3 rwm`. @throws {TsbuildError} USAGE */
export function parseDeviceRule(text: string): DeviceRule {
  const [, type, major, minor, access] = RULE.exec(text) ?? []
  if (type === undefined || access === undefined) {
    throw new TsbuildError(`invalid device cgroup format '${text}'`, {
      code: 'USAGE',
      hint: 'write it as c 1:3 rwm, with * for any number',
    })
  }
  const number = (word: string | undefined): number | undefined =>
    word === '*' ? undefined : Number(word)
  return { type: type as DeviceRule['type'], major: number(major), minor: number(minor), access }
}

/** As files of the first version take it. */
export function deviceRuleText({ type, major, minor, access }: DeviceRule): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`
}
