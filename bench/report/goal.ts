import { median } from '../measure/statistics.ts'
import type { Samples } from '../measure/turns.ts'

/** What tsbuild should take at most. Of several limits, one has to be kept. */
export interface Goal {
  /** Times the time of BuildKit. */
  readonly ofBuildKit?: number
  /** Times the time of buildah. */
  readonly ofBuildah?: number
  /** Times the time of what is measured beside. */
  readonly ofBeside?: number
  readonly seconds?: number
  /** What has to be kept besides. */
  readonly and?: Goal
}

/**
 * The limits in milliseconds, as far as what they are measured by was measured: in each list, one has to
 * be kept.
 */
export function limitsOf(
  goal: Goal,
  samples: Samples,
  beside: string | undefined,
): readonly (readonly number[])[] {
  const { ofBuildKit, ofBuildah, ofBeside, seconds, and } = goal
  const times = (factor: number | undefined, name: string | undefined): number[] => {
    const measured = name === undefined ? undefined : samples.get(name)
    return factor === undefined || measured === undefined ? [] : [factor * median(measured)]
  }
  const limits = [
    ...times(ofBuildKit, 'BuildKit'),
    ...times(ofBuildah, 'buildah'),
    ...times(ofBeside, beside),
    ...(seconds === undefined ? [] : [seconds * 1000]),
  ]
  const others = and === undefined ? [] : limitsOf(and, samples, beside)
  return [...(limits.length === 0 ? [] : [limits]), ...others]
}

/** `≤ 0.6 × BuildKit`, `≤ BuildKit or ≤ 2.5 × node -e 0`, `≤ BuildKit and ≤ buildah`. */
export function formatGoal(goal: Goal, beside = ''): string {
  const { ofBuildKit, ofBuildah, ofBeside, seconds, and } = goal
  const limits = [
    ...(ofBuildKit === undefined ? [] : [`≤ ${multiple(ofBuildKit)}BuildKit`]),
    ...(ofBuildah === undefined ? [] : [`≤ ${multiple(ofBuildah)}buildah`]),
    ...(ofBeside === undefined ? [] : [`≤ ${multiple(ofBeside)}\`${beside}\``]),
    ...(seconds === undefined ? [] : [`≤ ${seconds} s`]),
  ].join(' or ')
  return and === undefined ? limits : `${limits} and ${formatGoal(and, beside)}`
}

/** A number without a short form is written as a fraction: 1/7. */
function multiple(factor: number): string {
  if (factor === 1) return ''
  const isShort = Number(factor.toFixed(2)) === factor
  return isShort ? `${factor} × ` : `1/${Math.round(1 / factor)} × `
}
