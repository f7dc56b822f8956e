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
import { type CallRange, type Machine, machinesOf } from './calls/machines.ts'

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
 * @param rules by the names of calls; default: those of steps
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE: no filter, no step
 */
export function stepFilter(
  architecture: string = process.arch,
  rules: Rules = callRules(),
): Buffer {
  const machines = machinesOf(architecture)
  if (machines === undefined) throw noTablesError(architecture)
  return encode([
    [LOAD, 0, 0, MACHINE],
    ...machines.flatMap((machine) => section(machine, rules)),
    // A machine whose programs have not been thought of.
    [RETURN, 0, 0, KILL_PROCESS],
  ])
}

type Rules = ReadonlyMap<string, CallRule>

/** Decides about the programs of one machine, and leaves those of others to what follows. */
function section({ token, ranges }: Machine, rules: Rules): readonly Instruction[] {
  const [lowest, ...others] = ranges
    .flatMap((range) => spansOf(range, rules))
    .filter(({ rule }, index, spans) => rule !== spans[index - 1]?.rule)
    .map(({ first, rule }) => ({ first, code: codeFor(rule) }))
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

/** All numbers of a range. What has no rule is refused, or new. */
function spansOf({ base, calls, unknownFrom }: CallRange, rules: Rules): readonly Span[] {
  return Array.from({ length: calls.length + 1 }, (_, number) => ({
    first: base + number,
    rule: rules.get(calls[number] ?? '') ?? (number < unknownFrom ? 'refused' : 'unknown'),
  }))
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
