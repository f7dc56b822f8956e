import type { StepExplanation } from '#builder/explain'
import type { ExecutionReason } from '#core'

/** What is said of a reason that is an answer by itself; nothing where differences are. */
const REASONS: Readonly<Record<ExecutionReason, string | undefined>> = {
  'no-cache': 'its result was not looked up, as was asked for: --no-cache or --no-cache-filter',
  'cache-never': 'the comment above it asks for that: # cache=never',
  expired: 'its result is older than the comment above it lets it be: # cache=ttl',
  'input-executed': 'what it is done on or with was executed, and its own result is older',
  'no-record': undefined,
  'input-changed': undefined,
}

/** What is to be said of a step before its differences. */
export function reasonText(step: StepExplanation): readonly string[] {
  const { outcome, reason, differences, key } = step
  if (reason === undefined) return [foundText(step)]
  // A store may have been written by a later version, which knows more reasons.
  const known = Object.hasOwn(REASONS, reason)
    ? REASONS[reason]
    : `its result was not used: ${reason}`
  if (known !== undefined) return [known]
  if (isNew(step)) return ['it is new: no known earlier build had a step like it']
  if (differences.length > 0) return []
  if (key === undefined) return [`it has ${outcome} before it was known what it is made of`]
  return ['an earlier result of it is known, and nothing that differs']
}

/** Whether nothing is known of a step that ran but that it did. */
export function isNew({ reason, earlier, differences }: StepExplanation): boolean {
  return reason === 'no-record' && earlier === undefined && differences.length === 0
}

/** A step that did not run. */
function foundText({ outcome, earlier }: StepExplanation): string {
  switch (outcome) {
    case 'cached':
      return `it did not run: its result was found${earlier?.time === undefined ? '' : `, made ${earlier.time}`}`
    case 'unused':
      return 'it did not run: a result that was made of it was found, so that it was not needed'
    default:
      return 'it did not run: the build ended before'
  }
}
