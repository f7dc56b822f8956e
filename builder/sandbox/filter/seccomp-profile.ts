/** Profiles of system calls as Docker and OCI runtimes take them, read from documents that nothing has checked. */
import { release } from 'node:os'
import { TsbuildError } from '#core'
import { capabilityNumber } from './capabilities.ts'

/** What is done about a call: `SECCOMP_RET_` of linux/seccomp.h, with its data. */
export type SeccompAction = number

/** How one argument of a call is compared, as a number of 64 bits. */
export interface ArgumentCheck {
  readonly index: number
  readonly value: bigint
  /** Of `SCMP_CMP_MASKED_EQ`: what is left of the argument under the mask `value`. */
  readonly valueTwo: bigint
  readonly op: (typeof OPERATORS)[number]
}

/** Does something about calls of these names whose arguments pass all checks. */
export interface ProfileRule {
  readonly names: readonly string[]
  readonly action: SeccompAction
  readonly args: readonly ArgumentCheck[]
}

/** What holds on this machine for programs with some capabilities. */
export interface SeccompRules {
  readonly defaultAction: SeccompAction
  readonly rules: readonly ProfileRule[]
  /** Machines whose programs it is for, as `SCMP_ARCH_X86`; that of this process besides. */
  readonly architectures: ReadonlySet<string>
}

const OPERATORS = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const

const EPERM = 1
const MAX_ERRNO = 4095
const ARGUMENTS = 6

const ACTIONS: Readonly<Record<string, SeccompAction>> = {
  SCMP_ACT_KILL: 0,
  SCMP_ACT_KILL_THREAD: 0,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
}
const WITH_NUMBER: ReadonlySet<string> = new Set(['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE'])

/** docker's names of architectures, by Node's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads a profile for programs with these capabilities (a bit each; absent: all).
 * @throws {TsbuildError} USAGE with the place of the mistake
 */
export function readProfile(document: unknown, capabilities: bigint | undefined): SeccompRules {
  const profile = fieldsOf(document, 'profile')
  const defaults = { action: profile.defaultAction, errnoRet: profile.defaultErrnoRet }
  const rules = listOf(profile.syscalls, 'syscalls').map((rule, index) =>
    fieldsOf(rule, `syscalls[${index}]`),
  )
  return {
    defaultAction: actionOf(defaults, 'defaultAction'),
    architectures: architecturesOf(profile),
    rules: rules.flatMap((rule, index) => {
      const place = `syscalls[${index}]`
      return isWanted(rule, place, capabilities) ? [ruleOf(rule, place)] : []
    }),
  }
}

/** The names of this machine in maps of architectures, by Node's. */
const NATIVE: Readonly<Record<string, string>> = {
  x64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
}

function architecturesOf({ architectures, archMap }: Fields): ReadonlySet<string> {
  const mapped = listOf(archMap, 'archMap').flatMap((entry) => {
    const { architecture, subArchitectures } = fieldsOf(entry, 'archMap')
    const isNative = architecture === NATIVE[process.arch]
    return isNative ? listOf(subArchitectures, 'archMap.subArchitectures') : []
  })
  const all = [...listOf(architectures, 'architectures'), ...mapped]
  return new Set(all.map((name) => textOf(name, 'architectures')))
}

function ruleOf(rule: Fields, place: string): ProfileRule {
  const { name } = rule
  const names = listOf(rule.names, `${place}.names`).map((one) => textOf(one, `${place}.names`))
  const all = name === undefined || name === '' ? names : [...names, textOf(name, `${place}.name`)]
  if (all.length === 0) throw profileError(place, 'it names no call')
  const args = listOf(rule.args, `${place}.args`).map((check, index) =>
    checkOf(fieldsOf(check, `${place}.args[${index}]`), `${place}.args[${index}]`),
  )
  return { names: all, action: actionOf(rule, place), args }
}

function checkOf({ index, value, valueTwo, op }: Fields, place: string): ArgumentCheck {
  const operator = OPERATORS.find((one) => one === op)
  if (operator === undefined) throw profileError(place, `no operator ${JSON.stringify(op)}`)
  const number = Number(numberOf(index ?? 0, `${place}.index`))
  if (number >= ARGUMENTS) throw profileError(place, `no call has ${number + 1} arguments`)
  return {
    index: number,
    value: numberOf(value ?? 0, `${place}.value`),
    valueTwo: numberOf(valueTwo ?? 0, `${place}.valueTwo`),
    op: operator,
  }
}

function actionOf({ action, errnoRet }: Fields, place: string): SeccompAction {
  const name = textOf(action, `${place}.action`)
  const known = ACTIONS[name]
  if (known === undefined) throw profileError(place, `no action ${JSON.stringify(name)}`)
  if (!WITH_NUMBER.has(name)) return known
  const number = Number(numberOf(errnoRet ?? EPERM, `${place}.errnoRet`))
  if (number > MAX_ERRNO) throw profileError(place, `no error has the number ${number}`)
  return known | number
}

/** Whether a rule is for this machine and these capabilities. */
function isWanted(rule: Fields, place: string, capabilities: bigint | undefined): boolean {
  const includes = fieldsOf(rule.includes ?? {}, `${place}.includes`)
  const excludes = fieldsOf(rule.excludes ?? {}, `${place}.excludes`)
  const has = (name: unknown): boolean => hasCapability(textOf(name, place), capabilities)
  const isHere = (name: unknown): boolean => textOf(name, place) === ARCHITECTURES[process.arch]
  const arches = listOf(includes.arches, `${place}.includes.arches`)
  return (
    !listOf(excludes.caps, `${place}.excludes.caps`).some(has) &&
    !listOf(excludes.arches, `${place}.excludes.arches`).some(isHere) &&
    !isKernel(excludes.minKernel, place, 'absent') &&
    listOf(includes.caps, `${place}.includes.caps`).every(has) &&
    (arches.length === 0 || arches.some(isHere)) &&
    isKernel(includes.minKernel, place, 'fits')
  )
}

function hasCapability(name: string, capabilities: bigint | undefined): boolean {
  const number = capabilityNumber(name.replace(/^CAP_/, ''))
  if (number === undefined) return false
  return capabilities === undefined || ((capabilities >> BigInt(number)) & 1n) === 1n
}

/** Whether this kernel is as new as one; an absent one `fits` or is `absent`. */
function isKernel(least: unknown, place: string, missing: 'fits' | 'absent'): boolean {
  if (least === undefined || least === null || least === '') return missing === 'fits'
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(textOf(least, `${place}.minKernel`)) ?? []
  if (major === undefined) throw profileError(place, 'minKernel is no version')
  const [ownMajor = 0, ownMinor = 0] = release().split(/[.-]/).map(Number)
  return ownMajor > Number(major) || (ownMajor === Number(major) && ownMinor >= Number(minor))
}

function fieldsOf(value: unknown, place: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw profileError(place, 'not an object')
}

/** An absent list is empty. */
function listOf(value: unknown, place: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  throw profileError(place, 'not a list')
}

function textOf(value: unknown, place: string): string {
  if (typeof value === 'string') return value
  throw profileError(place, 'not a text')
}

function numberOf(value: unknown, place: string): bigint {
  if (typeof value === 'bigint' && value >= 0n) return value
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return BigInt(value)
  throw profileError(place, 'not a number from 0')
}

function profileError(place: string, reason: string): TsbuildError {
  return new TsbuildError(`Decoding seccomp profile failed: ${place}: ${reason}`, {
    code: 'USAGE',
    hint: 'see runtime-spec, config-linux.md, seccomp',
  })
}
