import type { BuildExplanation, StepExplanation } from '#builder/explain'
import { cleanLine, formatCount } from '../terminal/text.ts'
import { differenceText } from './difference-text.ts'
import { isNew, reasonText } from './reason-text.ts'

/** Why steps ran, for people: what is to be said of all, and a block for each step. */
export function explanationText(explanation: BuildExplanation): string {
  const { total, ran, steps } = explanation
  if (steps.length === 0) return `no step ran: ${nothingRan(explanation)}\n`
  const count = formatCount(total, 'step')
  const head = `why ${ran === total ? `all ${count}` : `${ran} of ${count}`} ran`
  if (steps.length > 1 && steps.every(isNew))
    return `${head}: no known earlier build had steps like these\n`
  return `${head}:\n\n${stepsText(steps, linesOf)}`
}

/** The same of single steps, which may not have run, and what each was compared with. */
export function askedStepsText(steps: readonly StepExplanation[]): string {
  return stepsText(steps, (step) => [...linesOf(step), ...earlierText(step)])
}

function stepsText(
  steps: readonly StepExplanation[],
  tell: (step: StepExplanation) => readonly string[],
): string {
  return steps
    .map((step) => {
      const lines = tell(step).map((line) => `  ${cleanLine(line)}\n`)
      return `${placeText(step)}: ${cleanLine(step.name)}\n${lines.join('')}`
    })
    .join('')
}

function earlierText({ reason, earlier, differences }: StepExplanation): readonly string[] {
  if (reason === undefined || earlier?.time === undefined || differences.length === 0) return []
  return [`compared with ${earlier.name} of ${earlier.time}`]
}

function nothingRan({ total, cached }: BuildExplanation): string {
  if (total === 0) return 'the build has none'
  return cached === total
    ? `the cache had all ${formatCount(total, 'step')}`
    : 'the build ended before'
}

function placeText({ line, end }: StepExplanation): string {
  return line === end ? `line ${line}` : `lines ${line}-${end}`
}

function linesOf(step: StepExplanation): readonly string[] {
  const told = step.differences
    .filter(({ repeated }) => repeated !== true)
    .map((difference) => differenceText(difference, step.firstCause))
  return [...reasonText(step), ...told]
}
