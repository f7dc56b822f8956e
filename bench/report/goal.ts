import { median } from '../measure/statistics.ts'
import type { Samples } from '../measure/turns.ts'

/** What tsbuild should take at most. Of several limits, one has to be kept. */
export interface Goal {
  /** Times the time of BuildKit. */
  readonly ofBuildKit?: number
  /** Times the time of what is measured beside. */
  readonly ofBeside?: number
  readonly seconds?: number
}

/** The limits in milliseconds, as far as what they are measured by was measured. */
export function limitsOf(goal: Goal, samples: Samples, beside: string | undefined): number[] {
  const { ofBuildKit, ofBeside, seconds } = goal
  const times = (factor: number | undefined, name: string | undefined): number[] => {
    const measured = name === undefined ? undefined : samples.get(name)
    return factor === undefined || measured === undefined ? [] : [factor * median(measured)]
  }
  return [
    ...times(ofBuildKit, 'BuildKit'),
    ...times(ofBeside, beside),
    ...(seconds === undefined ? [] : [seconds * 1000]),
  ]
}

/** `≤ 0.6 × BuildKit`, `≤ BuildKit or ≤ 2.5 × node -e 0`. */
export function formatGoal({ ofBuildKit, ofBeside, seconds }: Goal, beside = ''): string {
  return [
    ...(ofBuildKit === undefined ? [] : [`≤ ${multiple(ofBuildKit)}BuildKit`]),
    ...(ofBeside === undefined ? [] : [`≤ ${multiple(ofBeside)}\`${beside}\``]),
    ...(seconds === undefined ? [] : [`≤ ${seconds} s`]),
  ].join(' or ')
}

/** A number without a short form is written as a fraction: 1/7. */
function multiple(factor: number): string {
  if (factor === 1) return ''
  const isShort = Number(factor.toFixed(2)) === factor
  return isShort ? `${factor} × ` : `1/${Math.round(1 / factor)} × `
}
