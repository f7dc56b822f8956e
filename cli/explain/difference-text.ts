import type { Difference, FileChange, FileChanges, StepExplanation } from '#builder/explain'
import { shortList } from '#core'
import { formatCount } from '../terminal/text.ts'
import { changedText, quoted } from './changed-text.ts'

/** Files that are named; the others are counted. */
const MOST_FILES = 10

/** What is said of one difference, on one line. */
export function differenceText(
  difference: Difference,
  firstCause: StepExplanation['firstCause'],
): string {
  const { what, name } = difference
  switch (what) {
    case 'below':
      return belowText(difference, firstCause)
    case 'files':
      return filesText(difference)
    case 'result':
      return 'nothing differs, but its earlier result is not in the store any more, or cannot be used'
    case 'record':
      return 'what differs cannot be told: its earlier result is not in the store any more'
    case 'failure':
      return name === 'failed'
        ? 'it failed in the build before, and left no result'
        : 'it was stopped in the build before, and left no result'
    case 'argument':
      return valueText(`build argument ${name}`, difference)
    case 'environment':
      return valueText(`env ${name}`, difference)
    case 'base':
      return difference.files === undefined
        ? imageText('base', difference)
        : `base: ${filesText(difference)}`
    default:
      return valueText(name === undefined ? what : `${what} ${name}`, difference)
  }
}

function belowText({ step }: Difference, firstCause: StepExplanation['firstCause']): string {
  if (step === undefined) return 'the step before it is another one'
  const first = causeText(step, firstCause)
  return step.ran
    ? `the step before it ran anew: line ${step.line}${first}`
    : `the step before it is another one, which the cache had: line ${step.line}${first}`
}

/** Nothing where the step itself is the first cause. */
function causeText(
  { line }: Pick<StepExplanation, 'line'>,
  firstCause: StepExplanation['firstCause'],
): string {
  const isOther = firstCause !== undefined && firstCause.line !== line
  return isOther ? ` (first cause: line ${firstCause.line})` : ''
}

function valueText(subject: string, { change, from, to, hidden }: Difference): string {
  if (hidden === true) return `${subject} ${change} (not shown: it looks like a secret)`
  switch (change) {
    case 'added':
      return to === undefined ? `${subject} added` : `${subject} added ${quoted(to)}`
    case 'removed':
      return from === undefined ? `${subject} removed` : `${subject} removed ${quoted(from)}`
    case 'changed':
      return from === undefined || to === undefined
        ? `${subject} changed`
        : `${subject} changed ${changedText(from, to)}`
  }
}

/** Names of images are not quoted, and their digests shortened. */
function imageText(subject: string, { from, to }: Difference): string {
  const [before = 'nothing', after = 'nothing'] = [from, to].map((name) => name && shortName(name))
  return before === after
    ? `${subject} changed: ${after} has other files`
    : `${subject} changed ${before} -> ${after}`
}

function shortName(name: string): string {
  return name.replace(/(sha256:[0-9a-f]{12})[0-9a-f]+/g, '$1')
}

function filesText({ name, step, files, firstCause }: Difference): string {
  const where = name === undefined ? '' : `mount ${name}: `
  const origin = step === undefined ? '' : originText(step, firstCause)
  if (files === undefined) return `${where}files changed${origin}`
  if ('unknown' in files) return `${where}files changed${origin} (${files.unknown})`
  return `${where}${formatCount(files.count, 'file')} changed${origin}: ${listText(files)}`
}

/** The step that has made files. */
function originText(
  step: NonNullable<Difference['step']>,
  firstCause: Difference['firstCause'],
): string {
  const ran = step.ran ? `, which ran anew${causeText(step, firstCause)}` : ''
  return `, of line ${step.line}${ran}`
}

function listText({ count, listed }: FileChanges): string {
  return shortList(listed.slice(0, MOST_FILES).map(fileText), count)
}

function fileText({ path, change, from, details }: FileChange): string {
  if (change === 'renamed') return `${path} (renamed from ${from})`
  if (change !== 'changed') return `${path} (${change})`
  const told = details.map(({ what, from: before, to: after }) => {
    return before === undefined || after === undefined ? what : `${what} ${before} -> ${after}`
  })
  return `${path} (${told.join(', ')})`
}
