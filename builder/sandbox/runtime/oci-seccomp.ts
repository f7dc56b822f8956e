import { type ArgumentRule, callRules, type Verdict } from '../filter/call-rules.ts'

/** The part of a config that filters system calls. Spec: runtime-spec v1.0.2 config-linux.md#seccomp */
export interface OciSeccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet: number
  readonly architectures: readonly string[]
  readonly syscalls: readonly OciCalls[]
}

interface OciCalls {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  /** All must hold. */
  readonly args?: readonly [MaskedEqual]
}

/** `argument & value == valueTwo` */
interface MaskedEqual {
  readonly index: 0
  readonly value: number
  readonly valueTwo: number
  readonly op: 'SCMP_CMP_MASKED_EQ'
}

const EPERM = 1
const ENOSYS = 38

/** The machines whose programs run on an architecture, as Node names it. */
const MACHINES: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
}

/**
 * The rules of a step in the form that runtimes take. A call without a rule is refused; one that is newer than
 * all of them is unknown, which runtimes see to themselves.
 */
export function ociSeccomp(architecture: string = process.arch): OciSeccomp {
  const rules = [...callRules()]
  const allowed = rules.filter(([, rule]) => rule === 'allowed').map(([name]) => name)
  const unknown = rules.filter(([, rule]) => rule === 'unknown').map(([name]) => name)
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: EPERM,
    architectures: MACHINES[architecture] ?? [],
    syscalls: [
      { names: allowed, action: 'SCMP_ACT_ALLOW' },
      { names: unknown, action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
      ...rules.flatMap(([name, rule]) => (typeof rule === 'string' ? [] : checked(name, rule))),
    ],
  }
}

/**
 * A call that an argument decides about. The rules of runtimes only add to what is refused by default, so
 * what is allowed has to be said. They compare 64 bits, of which the kernel reads the low half here.
 */
function checked(
  name: string,
  { mask, values, listed, others }: ArgumentRule,
): readonly OciCalls[] {
  const verdicts: readonly Verdict[] = [listed, others]
  if (!verdicts.includes('allowed') || !verdicts.includes('refused')) {
    throw new Error(`no runtime takes the rule of ${name}`)
  }
  const allowed: readonly Pattern[] =
    listed === 'allowed'
      ? values.map((value) => ({ mask, value }))
      : othersThan(values, { mask: 0, value: 0 })
  return allowed.map(({ mask: value, value: valueTwo }) => ({
    names: [name],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value, valueTwo, op: 'SCMP_CMP_MASKED_EQ' }],
  }))
}

/** All numbers of 32 bits that agree with `value` in the bits of `mask`, which are the highest ones. */
interface Pattern {
  readonly mask: number
  readonly value: number
}

/** Patterns that fit all numbers of `within` but these: it is halved until a half has none of them. */
function othersThan(values: readonly number[], within: Pattern): readonly Pattern[] {
  if (values.length === 0) return [within]
  const bit = (~within.mask >>> 0) - (~within.mask >>> 1)
  if (bit === 0) return []
  const mask = (within.mask | bit) >>> 0
  return [within.value, (within.value | bit) >>> 0].flatMap((value) =>
    othersThan(
      values.filter((one) => (one & mask) >>> 0 === value),
      { mask, value },
    ),
  )
}
