import type { Buffer } from 'node:buffer'
import { unreachable } from '#core'
import {
  AND,
  ARGUMENT_SIZE,
  decisionTree,
  encode,
  FIRST_ARGUMENT,
  type Instruction,
  JUMP,
  JUMP_ABOVE,
  JUMP_AT_LEAST,
  JUMP_EQUAL,
  LOAD,
  MACHINE,
  NUMBER,
  RETURN,
} from './bpf.ts'
import { type CallRange, type Machine, machinesOf } from './calls/machines.ts'
import {
  type ArgumentCheck,
  type ProfileRule,
  readProfile,
  type SeccompRules,
} from './seccomp-profile.ts'

const KILL_PROCESS = 0x80000000
const ERROR = 0x00050000
const ENOSYS = 38
const ACTION = 0xffff0000

/** The machines that kernels tell apart, by the names that profiles have for them: of each range of numbers. */
const NAMES: Readonly<Record<number, readonly string[]>> = {
  3221225534: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X32'],
  1073741827: ['SCMP_ARCH_X86'],
  3221225655: ['SCMP_ARCH_AARCH64'],
  1073741864: ['SCMP_ARCH_ARM', 'SCMP_ARCH_ARM'],
}

/**
 * The filter of a profile, as seccomp(2) takes it. Of rules for one call, one without checks of arguments decides, else
 * the first that fits. A call that is newer than all that the profile names fails as one that the kernel lacks,
 * where others fail: libraries then do without it.
 * @param capabilities of the programs, a bit each; absent: all
 * @throws {TsbuildError} USAGE
 */
export function compileProfile(document: unknown, capabilities: bigint | undefined): Buffer {
  const profile = readProfile(document, capabilities)
  const byName = rulesByName(profile)
  const machines = machinesOf(process.arch) ?? []
  const sections = machines.flatMap((machine, index) =>
    section(machine, index, { profile, byName }),
  )
  return encode([[LOAD, 0, 0, MACHINE], ...sections, [RETURN, 0, 0, KILL_PROCESS]])
}

interface Compilation {
  readonly profile: SeccompRules
  readonly byName: ReadonlyMap<string, readonly ProfileRule[]>
}

function rulesByName({ rules, defaultAction }: SeccompRules): Compilation['byName'] {
  const byName = new Map<string, ProfileRule[]>()
  for (const rule of rules) {
    if (rule.action === defaultAction) continue
    for (const name of rule.names) {
      const known = byName.get(name)
      if (known === undefined) byName.set(name, [rule])
      else known.push(rule)
    }
  }
  return byName
}

/** @param index 0 is the machine of this process, which is never left out */
function section(
  { token, ranges }: Machine,
  index: number,
  compilation: Compilation,
): readonly Instruction[] {
  const names = NAMES[token] ?? []
  const { architectures } = compilation.profile
  const isWanted = (range: number): boolean =>
    (index === 0 && range === 0) || architectures.has(names[range] ?? '')
  if (!ranges.some((_, range) => isWanted(range))) return []
  const [lowest, ...others] = ranges
    .flatMap((range, number) =>
      isWanted(number) ? splitsOf(range, compilation) : [{ first: range.base, code: KILL }],
    )
    .filter(({ code }, at, splits) => code !== splits[at - 1]?.code)
  const body: readonly Instruction[] = [
    [LOAD, 0, 0, NUMBER],
    ...decisionTree(lowest?.code ?? KILL, others),
  ]
  return [[JUMP_EQUAL, 1, 0, token], [JUMP, 0, 0, body.length], ...body]
}

const KILL: readonly Instruction[] = [[RETURN, 0, 0, KILL_PROCESS]]

interface CallCode {
  readonly first: number
  readonly code: readonly Instruction[]
}

/** All numbers of a range; what has the same rules has the same code. */
function splitsOf(
  { base, calls }: CallRange,
  { profile, byName }: Compilation,
): readonly CallCode[] {
  const { defaultAction } = profile
  const codes = new Map<string, readonly Instruction[]>()
  const codeFor = (rules: readonly ProfileRule[], otherwise: number): readonly Instruction[] => {
    const code = callCode(rules, otherwise)
    const key = code.join()
    const known = codes.get(key) ?? code
    codes.set(key, known)
    return known
  }
  const newest = calls.findLastIndex((name) => name !== undefined && byName.has(name))
  const isError = (defaultAction & ACTION) >>> 0 === ERROR
  const newer = isError ? ERROR | ENOSYS : defaultAction
  const known = Array.from({ length: newest + 1 }, (_, number) => ({
    first: base + number,
    code: codeFor(byName.get(calls[number] ?? '') ?? [], defaultAction),
  }))
  return [...known, { first: base + newest + 1, code: codeFor([], newer) }]
}

function callCode(rules: readonly ProfileRule[], otherwise: number): readonly Instruction[] {
  const always = rules.find(({ args }) => args.length === 0)
  if (always !== undefined) return [[RETURN, 0, 0, always.action]]
  return [...rules.flatMap(checkedCode), [RETURN, 0, 0, otherwise]]
}

/** Goes on behind it unless all checks pass. */
function checkedCode({ args, action }: ProfileRule): readonly Instruction[] {
  let code: readonly Instruction[] = [[RETURN, 0, 0, action]]
  for (const check of args.toReversed()) {
    const steps = checkSteps(check)
    const passed = steps.length
    const failed = passed + code.length
    const own = steps.map((step, at): Instruction => {
      const to = (target: Target): number => {
        if (target === 'next') return 0
        return (target === 'pass' ? passed : failed) - at - 1
      }
      const [operation, operand, ifTrue = 'next', ifFalse = 'next'] = step
      return [operation, to(ifTrue), to(ifFalse), operand]
    })
    code = [...own, ...code]
  }
  return code
}

type Target = 'next' | 'pass' | 'fail'
type Step = readonly [code: number, operand: number, ifTrue?: Target, ifFalse?: Target]

/** The words of one argument are compared one after the other, the high one first. */
function checkSteps({ index, value, valueTwo, op }: ArgumentCheck): readonly Step[] {
  const [high, low] = wordsOf(value)
  const at = FIRST_ARGUMENT + index * ARGUMENT_SIZE
  const [loadLow, loadHigh]: readonly [Step, Step] = [
    [LOAD, at],
    [LOAD, at + ARGUMENT_SIZE / 2],
  ]
  const ordered = (code: number, above: Target, below: Target): readonly Step[] => [
    loadHigh,
    [JUMP_ABOVE, high, above],
    [JUMP_EQUAL, high, 'next', below],
    loadLow,
    [code, low, above, below],
  ]
  switch (op) {
    case 'SCMP_CMP_EQ':
      return [
        loadHigh,
        [JUMP_EQUAL, high, 'next', 'fail'],
        loadLow,
        [JUMP_EQUAL, low, 'pass', 'fail'],
      ]
    case 'SCMP_CMP_NE':
      return [
        loadHigh,
        [JUMP_EQUAL, high, 'next', 'pass'],
        loadLow,
        [JUMP_EQUAL, low, 'fail', 'pass'],
      ]
    case 'SCMP_CMP_GT':
      return ordered(JUMP_ABOVE, 'pass', 'fail')
    case 'SCMP_CMP_GE':
      return ordered(JUMP_AT_LEAST, 'pass', 'fail')
    case 'SCMP_CMP_LE':
      return ordered(JUMP_ABOVE, 'fail', 'pass')
    case 'SCMP_CMP_LT':
      return ordered(JUMP_AT_LEAST, 'fail', 'pass')
    case 'SCMP_CMP_MASKED_EQ': {
      const [wantedHigh, wantedLow] = wordsOf(valueTwo & value)
      return [
        ...[loadHigh, [AND, high] as const, [JUMP_EQUAL, wantedHigh, 'next', 'fail'] as const],
        ...[loadLow, [AND, low] as const, [JUMP_EQUAL, wantedLow, 'pass', 'fail'] as const],
      ]
    }
    default:
      return unreachable(op)
  }
}

function wordsOf(value: bigint): readonly [high: number, low: number] {
  return [Number((value >> 32n) & 0xffffffffn), Number(value & 0xffffffffn)]
}
