/** The tasks of the thread that prepares and starts steps. Descriptors in their results belong to the receiver. */
import type { ResolverSockets, StepNetwork, UplinkPlace, UplinkPlan } from '#builder/network'
import type { SharedChild } from '../children/shared-child.ts'
import { missingPartNotice, strictError } from '../host/notices.ts'
import { openContainerRoot } from '../process/container-root.ts'
import { type ExecInput, startExec } from '../process/exec-process.ts'
import type { MadeRoot } from '../process/made-root.ts'
import { prepareStep } from '../process/prepare-step.ts'
import {
  dropStep,
  type PreparedStep,
  type StepInput,
  type StepPart,
} from '../process/prepared-step.ts'
import { dropPlace, makePlace, type Place, type PlaceInput } from '../process/step-place.ts'
import { type Launched, type LaunchInput, startStep } from '../process/step-process.ts'
import { prepareRuntimeStep, type RuntimeInput } from '../runtime/prepare-runtime-step.ts'
import {
  type RuntimeLaunchInput,
  type RuntimeStep,
  startByRuntime,
} from '../runtime/runtime-process.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import { stepFailure } from './step-failure.ts'
import {
  openThreadHub,
  openThreadRouter,
  sparePlace,
  threadHub,
  threadLauncher,
  threadPreparer,
} from './step-thread.ts'

/** Opens the hub of steps' networks. @throws {SystemError} of what this process may not do */
export function openHub(): void {
  openThreadHub()
}

/** Makes the router of steps' networks, for a program to connect. @throws {SystemError} */
export function openRouter(plan: UplinkPlan): UplinkPlace {
  return openThreadRouter(plan)
}

/** Makes the sockets of the resolver that steps ask. */
export function bindResolver(): readonly ResolverSockets[] {
  return threadHub().bindResolver()
}

/** Makes a network of the hub. */
export function joinHub(number: number): StepNetwork {
  return threadHub().makeNetwork(number)
}

/** Makes a place for a step that follows. */
export function makeSpare(input: PlaceInput): void {
  sparePlace.make(threadPreparer(), input)
}

/** What a step is prepared from, and what is started in it. */
export interface StartInput {
  readonly input: StepInput
  /** Without any of these of its own it is not started. */
  readonly required: readonly StepPart[]
  readonly launch: Omit<LaunchInput, 'step'>
}

/** A step that is prepared. */
export interface Started {
  readonly step: PreparedStep
  /** Absent: sockets of the step have to be listened on before its program runs. */
  readonly launched: Launched | undefined
}

/** A step that a runtime is to start. */
export interface RuntimeRequest extends RuntimeInput, Pick<StartInput, 'required'> {}

/** Prepares a step for a runtime; if this fails, nothing of it is left. */
export function prepareForRuntime({ required, ...input }: RuntimeRequest): RuntimeStep {
  return prepareRuntimeStep(threadPreparer(), takePlace(input.input, required), input)
}

/**
 * Starts the program of a step by a runtime. The caller takes the step down in any case.
 * @param post gets the runtime, which the thread waits for
 */
export function launchByRuntime(
  input: RuntimeLaunchInput,
  post: (runtime: SharedChild) => void,
): Launched {
  const { home } = threadPreparer()
  return startByRuntime(threadLauncher(), home, { ...input, onStart: post })
}

/** Prepares a step, and starts its program where it may run at once; if this fails, nothing of it is left. */
export function start({ input, required, launch }: StartInput): Started {
  const step = prepareStep(threadPreparer(), takePlace(input, required), { input })
  if (step.root.sockets.length > 0) return { step, launched: undefined }
  try {
    return { step, launched: startStep(threadLauncher(), { ...launch, step }) }
  } catch (cause) {
    dropStep(step)
    throw stepFailure(cause, 'start the step')
  }
}

/** Shows the root of a container without processes. */
export function openRoot(mounts: ProcessSpec['mounts']): MadeRoot {
  return openContainerRoot(threadPreparer(), mounts)
}

/** A place that has what it must have of its own. */
function takePlace(input: StepInput, required: StartInput['required']): Place {
  const spare = input.spec.container === undefined ? sparePlace.take(input) : undefined
  const place = spare ?? makePlace(threadPreparer(), input)
  const missing = place.lacking.find((part) => required.includes(part))
  if (missing === undefined) return place
  dropPlace(place)
  throw strictError(missingPartNotice(missing))
}

/** Starts the program of a prepared step. The caller takes the step down in any case. */
export function launch(input: LaunchInput): Launched {
  return startStep(threadLauncher(), input)
}

/** Starts another process in the sandbox of a step, which the caller does not take down meanwhile. */
export function launchBeside(input: ExecInput): Launched {
  return startExec(threadLauncher(), input)
}
