import { enterNamespaces } from '#builder/linux'
import { prepareStep } from '../process/prepare-step.ts'
import type { StepInput } from '../process/prepared-step.ts'
import type { Preparer } from '../process/preparer.ts'
import type { Place } from '../process/step-place.ts'
import type { RuntimeStep } from './runtime-process.ts'
import type { RuntimeProgram } from './runtime-program.ts'
import { closeView, makeView, type RuntimeView } from './runtime-view.ts'

/** What a step is prepared from. */
export interface RuntimeInput {
  readonly input: StepInput
  readonly runtime: RuntimeProgram
}

/** Prepares one step as the in-process sandbox does, and makes a view of it for the runtime. */
export function prepareRuntimeStep(
  preparer: Preparer,
  place: Place,
  { input, runtime }: RuntimeInput,
): RuntimeStep {
  let view: RuntimeView | undefined
  const besideHost = ({ namespaces, ...rest }: Place): void => {
    try {
      view = makeView({ namespaces, ...rest }, runtime.kind)
    } finally {
      enterNamespaces({ ...(namespaces.mnt !== undefined && { mnt: namespaces.mnt }) })
    }
  }
  try {
    const step = prepareStep(preparer, place, { input, besideHost })
    if (view === undefined) throw new Error('a step was prepared without a view')
    return { ...step, view }
  } catch (cause) {
    if (view !== undefined) closeView(view)
    throw cause
  }
}
