import type { Buffer } from 'node:buffer'
import { TsbuildError } from '#core'
import {
  AND,
  decisionTree,
  encode,
  FIRST_ARGUMENT,
  type Instruction,
  JUMP,
  JUMP_EQUAL,
  LOAD,
  MACHINE,
  NUMBER,
  RETURN,
} from './bpf.ts'
import { type ArgumentRule, type CallRule, callRules, type Verdict } from './call-rules.ts'
import { type Machine, machinesOf, type ProgramKind } from './calls/machines.ts'

const KILL_PROCESS = 0x80000000
const FAIL = 0x00050000
const EPERM = 1
const ENOSYS = 38

const RESULTS: Readonly<Record<Verdict, number>> = {
  allowed: 0x7fff0000,
  refused: FAIL | EPERM,
  unknown: FAIL | ENOSYS,
}

/**
 * The filter of a step's system calls, as seccomp(2) takes it: an array of `sock_filter`, 8 bytes each.
 * Programs of the machine's smaller sisters (32 bits) are filtered by their own numbers.
 * @param architecture of the kernel, as Node names it
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE: no filter, no step
 */
export function stepFilter(architecture: string = process.arch): Buffer {
  const machines = machinesOf(architecture)
  if (machines === undefined) throw noTablesError(architecture)
  const rules = callRules()
  return encode([
    [LOAD, 0, 0, MACHINE],
    ...machines.flatMap((machine) => section(machine, rules)),
    // A machine whose programs have not been thought of.
    [RETURN, 0, 0, KILL_PROCESS],
  ])
}

type Rules = ReadonlyMap<string, CallRule>

/** Decides about the programs of one machine, and leaves those of others to what follows. */
function section({ token, programs }: Machine, rules: Rules): readonly Instruction[] {
  const spans = programs.flatMap((kind) => spansOf(kind, rules))
  const [lowest, ...others] = withoutDoubles(spans).map(({ first, rule }) => ({
    first,
    code: codeFor(rule),
  }))
  const body: readonly Instruction[] = [
    [LOAD, 0, 0, NUMBER],
    ...decisionTree(lowest?.code ?? codeFor('refused'), others),
  ]
  return [[JUMP_EQUAL, 1, 0, token], [JUMP, 0, 0, body.length], ...body]
}

/** One rule holds for all numbers from `first` up to the next span. */
interface Span {
  readonly first: number
  readonly rule: CallRule
}

/** All numbers there are, from the base up. What has no rule is refused, or new. */
function spansOf({ base, calls, unknownFrom }: ProgramKind, rules: Rules): readonly Span[] {
  const known: [number, CallRule][] = [[unknownFrom, 'unknown']]
  for (const [name, number] of calls) {
    const rule = rules.get(name)
    if (rule !== undefined) known.push([number, rule])
  }
  const spans: Span[] = [{ first: base, rule: 'refused' }]
  for (const [number, rule] of known.sort(([a], [b]) => a - b)) {
    const rest = number < unknownFrom ? 'refused' : 'unknown'
    spans.push({ first: number, rule }, { first: number + 1, rule: rest })
  }
  return spans
}

/** The later one of two spans with the same number holds; neighbours with the same rule are one. */
function withoutDoubles(spans: readonly Span[]): readonly Span[] {
  const kept: Span[] = []
  for (const span of spans) {
    if (kept.at(-1)?.first === span.first) kept.pop()
    if (kept.at(-1)?.rule !== span.rule) kept.push(span)
  }
  return kept
}

function codeFor(rule: CallRule): readonly Instruction[] {
  return typeof rule === 'string' ? [[RETURN, 0, 0, RESULTS[rule]]] : argumentCode(rule)
}

function argumentCode({ mask, values, listed, others }: ArgumentRule): readonly Instruction[] {
  return [
    [LOAD, 0, 0, FIRST_ARGUMENT],
    [AND, 0, 0, mask],
    ...values.map((value, index): Instruction => [JUMP_EQUAL, values.length - index, 0, value]),
    [RETURN, 0, 0, RESULTS[others]],
    [RETURN, 0, 0, RESULTS[listed]],
  ]
}

function noTablesError(architecture: string): TsbuildError {
  return new TsbuildError(`cannot filter the system calls of a step on ${architecture}`, {
    code: 'SANDBOX_UNAVAILABLE',
    hint: 'run builds on x86-64 or ARM64',
  })
}
