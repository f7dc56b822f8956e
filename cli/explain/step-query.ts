import { instructionOf, isStep, type TracedVertex } from '#builder/explain'
import { shortList, suggestion, TsbuildError } from '#core'
import { cleanLine } from '../terminal/text.ts'

/** What a step can be found by; steps that it fits. */
type Rule = (text: string, steps: readonly TracedVertex[]) => readonly TracedVertex[]

/**
 * The steps that a text means: the first of these rules that fits any step decides. As progress shows it, in
 * whole or by its number (`[build 3/5]`, `build 3/5`, `3/5`); the instruction itself, or how it begins, or
 * a part of it; a line (`Dockerfile:7`, `:7`, `7`); an instruction of a stage (`build:RUN make`).
 * @throws {TsbuildError} NOT_FOUND
 */
export function findSteps(
  text: string,
  vertices: readonly TracedVertex[],
): readonly TracedVertex[] {
  const steps = vertices.filter(isStep)
  for (const rule of RULES) {
    const found = rule(squeezed(text), steps)
    if (found.length > 0) return found
  }
  throw unknownStepError(text, steps)
}

/** Names of steps that are offered. */
const MOST_NAMED = 5

const RULES: readonly Rule[] = [byName, byNumber, byInstruction, byStage, byLine, byPart]

function byName(text: string, steps: readonly TracedVertex[]): readonly TracedVertex[] {
  return steps.filter(({ name }) => squeezed(name) === text)
}

/** `[build 3/5]` with or without its brackets, and what follows it. */
function byNumber(text: string, steps: readonly TracedVertex[]): readonly TracedVertex[] {
  const [, number] = /^\[?((?:[^\]]+ )?\d+\/\d+)(?:\]|$)/.exec(text) ?? []
  if (number === undefined) return []
  return steps.filter(({ name }) => {
    const label = /^\[([^\]]*)\]/.exec(name)?.[1] ?? ''
    return label === number || label.endsWith(` ${number}`)
  })
}

function byInstruction(text: string, steps: readonly TracedVertex[]): readonly TracedVertex[] {
  const whole = steps.filter((step) => folded(instructionOf(step)) === folded(text))
  if (whole.length > 0) return whole
  return steps.filter((step) => folded(instructionOf(step)).startsWith(folded(text)))
}

/** `build:RUN make`: whatever comes behind the name of a stage fits its steps only. */
function byStage(text: string, steps: readonly TracedVertex[]): readonly TracedVertex[] {
  const at = text.indexOf(':')
  const stage = text.slice(0, Math.max(at, 0)).toLowerCase()
  const own = steps.filter((step) => at > 0 && step.stage.toLowerCase() === stage)
  const rest = text.slice(at + 1).trim()
  if (own.length === 0 || rest === '' || /^\d+$/.test(rest)) return []
  const found = byInstruction(rest, own)
  return found.length > 0 ? found : byPart(rest, own)
}

function byLine(text: string, steps: readonly TracedVertex[]): readonly TracedVertex[] {
  const [, digits] = /(?:^|:)(\d+)$/.exec(text) ?? []
  if (digits === undefined) return []
  const line = Number(digits)
  return steps.filter(({ lines: [first, last] }) => first <= line && line <= last)
}

function byPart(text: string, steps: readonly TracedVertex[]): readonly TracedVertex[] {
  return text === ''
    ? []
    : steps.filter((step) => folded(instructionOf(step)).includes(folded(text)))
}

function squeezed(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ')
}

function folded(text: string): string {
  return squeezed(text).toLowerCase()
}

function unknownStepError(text: string, steps: readonly TracedVertex[]): TsbuildError {
  const message = `the build had no step ${JSON.stringify(text)}`
  if (/^#\d+$/.test(text)) {
    const hint =
      'numbers after # are those of one screen: write [build 3/5], a line, or the instruction'
    return new TsbuildError(message, { code: 'NOT_FOUND', hint })
  }
  const instructions = steps.map((step) => instructionOf(step))
  const similar = suggestion(text, instructions)
  const first = steps
    .slice(0, MOST_NAMED)
    .map(({ name, lines: [line] }) => `line ${line}: ${cleanLine(name)}`)
  const hint =
    similar === undefined
      ? `it had ${shortList(first, steps.length, '; ')}`
      : `did you mean ${cleanLine(similar)}?`
  return new TsbuildError(message, { code: 'NOT_FOUND', hint })
}
