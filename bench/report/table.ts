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

/** The head of a Markdown table with a column for each builder; the first one is what others are compared with. */
export function formatHead(builders: readonly string[]): string {
  const head = ['', ...builders, 'beside', 'goal', 'met']
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'))
  return `${formatCells(head)}\n${formatCells(rule)}`
}

/**
 * A line of the table: medians with their ranges, how many times slower than the first one the other builders
 * are, and whether the goal is met.
 */
export function formatRow(row: Row, builders: readonly string[]): string {
  const { title, samples, beside, goal } = row
  const [first = ''] = builders
  const own = samples.get(first)
  const cells = builders.map((name) => {
    const times = samples.get(name)
    if (times === undefined) return '–'
    const compared = name !== first && own !== undefined
    return compared ? `${spread(times)}, ${ratio(times, own)}` : spread(times)
  })
  const besides = beside === undefined ? undefined : samples.get(beside)
  return formatCells([
    title,
    ...cells,
    besides === undefined ? '' : `\`${beside}\` ${spread(besides)}`,
    goal === undefined ? '' : formatGoal(goal, beside),
    verdict(row, own),
  ])
}

function formatCells(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** Empty without a goal, and where what it is measured by was not measured. */
function verdict({ goal, samples, beside }: Row, own: readonly number[] | undefined): string {
  const limits = goal === undefined ? [] : limitsOf(goal, samples, beside)
  if (limits.length === 0 || own === undefined) return ''
  const isMet = limits.every((some) => some.some((limit) => median(own) <= limit))
  return isMet ? 'yes' : '**no**'
}

function spread(times: readonly number[]): string {
  const range = [Math.min(...times), Math.max(...times)].map(plain).join('–')
  return `${milliseconds(median(times))} (${range})`
}

function ratio(times: readonly number[], own: readonly number[]): string {
  return `${(median(times) / median(own)).toFixed(2)}×`
}
