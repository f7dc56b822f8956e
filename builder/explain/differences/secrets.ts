import { isSecretVariable, type Json, withoutCredentials } from '#core'
import type { BuildExplanation, Difference, StepExplanation } from '../report/explanation.ts'
import { memberOf } from './members.ts'
import { variablesOf } from './variables.ts'

const HIDDEN = '****'
/** Shorter values are parts of so much else that hiding them would only show where they are. */
const LEAST_LENGTH = 6

/**
 * An explanation without what looks like a secret: the values of variables with such names, these values
 * wherever else they are, and credentials in addresses.
 * @param documents those of the steps' keys, which have their environments
 */
export function withoutSecrets(
  explanation: BuildExplanation,
  documents: Iterable<Json>,
): BuildExplanation {
  const secrets = new Set([...documents].flatMap(secretsOf))
  // A value may be a part of another one.
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length)
  const clean = (text: string): string =>
    longestFirst.reduce((left, secret) => left.replaceAll(secret, HIDDEN), withoutCredentials(text))
  return { ...explanation, steps: explanation.steps.map((step) => cleanStep(step, clean)) }
}

type Clean = (text: string) => string

function cleanStep(step: StepExplanation, clean: Clean): StepExplanation {
  return {
    ...step,
    name: clean(step.name),
    ...cleanNamed(step, clean),
    differences: step.differences.map((difference) => cleanDifference(difference, clean)),
  }
}

function cleanDifference(difference: Difference, clean: Clean): Difference {
  const { from, to, ...said } = { ...difference, ...cleanNamed(difference, clean) }
  if (isSecret(difference)) return { ...said, hidden: true }
  return {
    ...said,
    ...(from === undefined ? {} : { from: clean(from) }),
    ...(to === undefined ? {} : { to: clean(to) }),
  }
}

/** The members of a part that name steps, with clean names. */
function cleanNamed<T extends Partial<StepExplanation & Difference>>(
  { earlier, step, firstCause }: T,
  clean: Clean,
): Pick<Partial<StepExplanation & Difference>, 'earlier' | 'step' | 'firstCause'> {
  return {
    ...(earlier === undefined ? {} : { earlier: { ...earlier, name: clean(earlier.name) } }),
    ...(step === undefined ? {} : { step: { ...step, name: clean(step.name) } }),
    ...(firstCause === undefined
      ? {}
      : { firstCause: { ...firstCause, name: clean(firstCause.name) } }),
  }
}

function isSecret({ what, name, from = '', to = '' }: Difference): boolean {
  const isVariable = what === 'argument' || what === 'environment'
  if (!isVariable || name === undefined) return false
  return isSecretVariable(name, from) || isSecretVariable(name, to)
}

function secretsOf(document: Json): readonly string[] {
  const variables = variablesOf(memberOf(memberOf(document, 'process'), 'env'))
  return [...variables].flatMap(([name, value]) =>
    value.length >= LEAST_LENGTH && isSecretVariable(name, value) ? [value] : [],
  )
}
