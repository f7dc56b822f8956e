import { median } from '../measure/statistics.ts'
import type { Samples } from '../measure/turns.ts'
import { formatGoal, type Goal, limitsOf } from './goal.ts'
import { milliseconds, plain } from './times.ts'

/** One line of the result. */
export interface Row {
  readonly title: string
  readonly samples: Samples
  /** What was measured beside the builders. */
  readonly beside: string | undefined
  readonly goal: Goal | undefined
}

/**
 * A Markdown table: medians with their ranges, how many times slower than the first one the other builders
 * are, and whether goals are met.
 */
export function formatTable(rows: readonly Row[], builders: readonly string[]): string {
  const head = ['', ...builders, 'beside', 'goal', 'met']
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'))
  const lines = rows.map((row) => {
    const { title, samples, beside, goal } = row
    const [first = ''] = builders
    const own = samples.get(first)
    const cells = builders.map((name) => {
      const times = samples.get(name)
      if (times === undefined) return '–'
      return name === first || own === undefined
        ? spread(times)
        : `${spread(times)}, ${ratio(times, own)}`
    })
    const besides = beside === undefined ? undefined : samples.get(beside)
    return [
      title,
      ...cells,
      besides === undefined ? '' : `\`${beside}\` ${spread(besides)}`,
      goal === undefined ? '' : formatGoal(goal, beside),
      verdict(row, own),
    ]
  })
  return [head, rule, ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** Empty without a goal, and where what it is measured by was not measured. */
function verdict({ goal, samples, beside }: Row, own: readonly number[] | undefined): string {
  const limits = goal === undefined ? [] : limitsOf(goal, samples, beside)
  if (limits.length === 0 || own === undefined) return ''
  return limits.some((limit) => median(own) <= limit) ? 'yes' : '**no**'
}

function spread(times: readonly number[]): string {
  const range = [Math.min(...times), Math.max(...times)].map(plain).join('–')
  return `${milliseconds(median(times))} (${range})`
}

function ratio(times: readonly number[], own: readonly number[]): string {
  return `${(median(times) / median(own)).toFixed(2)}×`
}
