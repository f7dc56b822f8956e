import type { DifferentialCase } from '../cases/tables.ts'
import type { WitnessName } from '../cases/witness-name.ts'
import type { BuiltImage } from './built-image.ts'
import { compareAnswers } from './compare-answers.ts'
import { compareBuilt } from './compare-built.ts'

/** How one builder got on with a Dockerfile: an image, the answer to a question, or a refusal. */
export type Outcome =
  | { readonly image: BuiltImage }
  | { readonly answer: unknown }
  | { readonly refused: string }

export interface Outcomes {
  readonly ours: Outcome
  readonly theirs: Outcome
  /** Whose outcome `theirs` is. */
  readonly witness: WitnessName
  /** Seconds: what is not older was made by these builds. */
  readonly since: number
}

/** What of the outcomes is not as the case wants it, one line each; empty when all is well. */
export function complaintsOf(one: DifferentialCase, outcomes: Outcomes): readonly string[] {
  const differences = differencesOf(outcomes)
  const isExpected = (line: string): boolean => one.differing.some((mark) => matches(line, mark))
  const isDecision = one.differing.length > 0 || one.equivalent !== undefined
  return [
    ...refusalComplaints(one, outcomes),
    ...differences.filter((line) => !isExpected(line)),
    ...one.differing
      .filter((mark) => !differences.some((line) => matches(line, mark)))
      .map((mark) => `marked as different, but is the same: ${mark}`),
    ...(isDecision === (one.reason !== undefined)
      ? []
      : ['a decision needs a reason, and one alone']),
  ]
}

function refusalComplaints(
  { refusal, isFree }: DifferentialCase,
  { ours }: Outcomes,
): readonly string[] {
  if (isFree) return []
  if (refusal === undefined) return 'refused' in ours ? [`refused here: ${ours.refused}`] : []
  if (!('refused' in ours)) return ['accepted here, but should not be']
  return refusal
    .filter((text) => !ours.refused.includes(text))
    .map((text) => `refused here, but not with "${text}": ${ours.refused}`)
}

function differencesOf({ ours, theirs, witness, since }: Outcomes): readonly string[] {
  if ('refused' in ours) {
    return 'refused' in theirs ? infrastructure(theirs.refused) : ['accepted: by BuildKit only']
  }
  if ('refused' in theirs) return [`accepted: here only; BuildKit: ${theirs.refused}`]
  if ('answer' in ours) {
    return 'answer' in theirs
      ? compareAnswers(ours.answer, theirs.answer)
      : ['an answer: here only']
  }
  if ('answer' in theirs) return ['an answer: of BuildKit only']
  return compareBuilt(ours.image, theirs.image, { since, witness })
}

/** A refusal that says nothing about the Dockerfile. */
function infrastructure(message: string): readonly string[] {
  return /dial tcp|no such host|deadline exceeded|no space left/.test(message)
    ? [`BuildKit could not try: ${message}`]
    : []
}

/** A mark is the beginning of a difference up to its colon, or with `*` at its end any beginning. */
function matches(line: string, mark: string): boolean {
  return mark.endsWith('*') ? line.startsWith(mark.slice(0, -1)) : line.startsWith(`${mark}:`)
}
