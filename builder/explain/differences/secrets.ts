import { isSecretVariable, type Json, withoutCredentials } from '#core'
import type {
  BuildExplanation,
  Difference,
  StepExplanation,
  StepPlace,
} from '../report/explanation.ts'
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
  const { earlier, firstCause, differences } = step
  return {
    ...step,
    ...cleanName(step, clean),
    ...(earlier === undefined ? {} : { earlier: { ...earlier, ...cleanName(earlier, clean) } }),
    differences: differences.map((difference) => cleanDifference(difference, clean)),
    ...(firstCause === undefined
      ? {}
      : { firstCause: { ...firstCause, ...cleanName(firstCause, clean) } }),
  }
}

function cleanName({ name }: Pick<StepPlace, 'name'>, clean: Clean): Pick<StepPlace, 'name'> {
  return { name: clean(name) }
}

function cleanDifference(difference: Difference, clean: Clean): Difference {
  const { from, to, ...said } = difference
  if (isSecret(difference)) return { ...said, hidden: true }
  const { step } = said
  return {
    ...said,
    ...(step === undefined ? {} : { step: { ...step, ...cleanName(step, clean) } }),
    ...(from === undefined ? {} : { from: clean(from) }),
    ...(to === undefined ? {} : { to: clean(to) }),
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
