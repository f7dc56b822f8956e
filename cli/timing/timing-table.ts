import { cleanLine, formatBytes } from '../terminal/text.ts'
import type { BuildTiming, StepTiming } from './build-timing.ts'
import type { ProcessorTime } from './this-process.ts'

/** Steps that are named. */
const SLOWEST = 5

/**
 * Where the time of a build went, for people. The column `alone` adds up to the total: with what overlaps
 * and what no part accounts for.
 */
export function timingTable(timing: BuildTiming, processor: ProcessorTime | undefined): string {
  const { total, parts, overlap, other, steps } = timing
  const rows = [
    ['', 'wall', 'share', 'alone'],
    ...parts.map(({ part, wall, alone }) => [
      part,
      seconds(wall),
      share(wall, total),
      seconds(alone),
    ]),
    ...(overlap > 0 ? [['side by side', '', '', seconds(overlap)]] : []),
    ['other', '', '', seconds(other)],
    ['total', seconds(total), '', seconds(total)],
  ]
  const blocks = [
    aligned(rows),
    ...(processor === undefined ? [] : [processorLine(processor)]),
    ...(steps.length === 0 ? [] : [slowest(steps, total)]),
  ]
  return `\n${blocks.join('\n')}`
}

function processorLine({ own, others }: ProcessorTime): string {
  return `processor: ${seconds(own)} tsbuild, ${seconds(others)} steps and other programs\n`
}

function slowest(steps: readonly StepTiming[], total: number): string {
  const named = steps.slice(0, SLOWEST)
  const sum = steps.reduce((all, { milliseconds }) => all + milliseconds, 0)
  const head =
    steps.length > named.length
      ? `slowest ${named.length} of ${steps.length} steps, which took ${seconds(sum)} in sum`
      : 'slowest steps'
  const rows = named.map(({ name, lines, milliseconds, usage }) => {
    const time = `${seconds(milliseconds).padStart(9)} ${share(milliseconds, total).padStart(5)}`
    return `${time}  ${placeOf(lines)}${cleanLine(name)}${usageOf(usage)}\n`
  })
  return `${head}\n${rows.join('')}`
}

function usageOf(usage: StepTiming['usage']): string {
  if (usage === undefined) return ''
  const { processor, memory, largestProcess } = usage
  const peak =
    memory === undefined
      ? `${formatBytes(largestProcess)} in its largest process`
      : `${formatBytes(memory)} at its peak`
  return ` (processor ${seconds(processor)}, ${peak})`
}

function placeOf(lines: StepTiming['lines']): string {
  if (lines === undefined) return ''
  return lines.start === lines.end ? `line ${lines.start}: ` : `lines ${lines.start}-${lines.end}: `
}

/** The first column to the left, others to the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  return rows
    .map(([first = '', ...others]) => {
      const cells = others.map((cell, index) => cell.padStart(index === 1 ? 7 : 10))
      return `${first.padEnd(12)}${cells.join('')}\n`
    })
    .join('')
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)}s`
}

function share(milliseconds: number, total: number): string {
  return total > 0 ? `${Math.round((milliseconds / total) * 100)}%` : ''
}
