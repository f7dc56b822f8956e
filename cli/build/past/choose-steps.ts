import { TsbuildError } from '#core'
import { type BuildRecord, findBuild, type RecordedStep } from '#record'
import { findSteps } from '../../explain/step-query.ts'

/** Steps of one build. */
export interface ChosenSteps {
  readonly build: BuildRecord
  readonly steps: readonly RecordedStep[]
}

/** What of the builds of a store is asked for. */
export interface StepChoice {
  /** Empty: the latest build, or the latest one with a step that is wanted. */
  readonly build: string
  /** Empty: all steps that are wanted. */
  readonly step: string
  readonly isWanted: (step: RecordedStep) => boolean
}

/**
 * The steps that words of a command line mean.
 * @param builds the latest first
 * @throws {TsbuildError} NOT_FOUND, USAGE
 */
export function chooseSteps(
  builds: readonly BuildRecord[],
  { build: word, step, isWanted }: StepChoice,
): ChosenSteps {
  const latest = builds.find(({ steps }) => steps.some(isWanted))
  const build = word === '' && latest !== undefined ? latest : findBuild(word || 'latest', builds)
  const steps = step === '' ? build.steps.filter(isWanted) : stepsOf(build, step)
  return { build, steps }
}

/** @throws {TsbuildError} USAGE where they are not one */
export function onlyStep({ build, steps }: ChosenSteps): RecordedStep {
  const [step, other] = steps
  if (step !== undefined && other === undefined) return step
  const ids = (steps.length === 0 ? build.steps : steps).map(({ id, name }) => `${id} (${name})`)
  throw new TsbuildError(
    step === undefined ? 'no step of the build is meant' : 'several steps of the build are meant',
    { code: 'USAGE', hint: `write the id of one: ${ids.join(', ')}` },
  )
}

function stepsOf({ steps }: BuildRecord, text: string): readonly RecordedStep[] {
  const named = steps.filter(({ id }) => id === text)
  if (named.length > 0) return named
  const ids = new Set(findSteps(text, steps).map(({ id }) => id))
  return steps.filter(({ id }) => ids.has(id))
}
