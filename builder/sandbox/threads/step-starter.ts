import { type SharedChild, sendSignal, signalChild } from '../children/shared-child.ts'
import type { PreparedStep } from '../process/prepared-step.ts'
import type { Launched } from '../process/step-process.ts'
import type { RuntimeProgram } from '../runtime/runtime-program.ts'
import { closeView } from '../runtime/runtime-view.ts'
import { cancelledStepError } from './step-handle.ts'
import type { StartInput } from './step-tasks.ts'
import type { StepWorkers } from './step-workers.ts'

/** A step that is prepared. */
export interface ReadyStep {
  readonly step: PreparedStep
  /**
   * Starts its program, unless that runs already. To be called once, also when the step is cancelled; the
   * caller takes the step down in any case.
   */
  launch(cancelled: AbortSignal): Promise<Launched>
}

/** Prepares a step, and may start its program; if this fails, nothing of it is left. */
export type StepStarter = (input: StartInput) => Promise<ReadyStep>

/** Lets the thread start steps. */
export function ownStarter({ thread }: Pick<StepWorkers, 'thread'>): StepStarter {
  return async (start) => {
    const { step, launched } = await thread.run('start', start)
    return {
      step,
      launch: async (cancelled) => {
        if (launched !== undefined) return launched
        if (cancelled.aborted) throw cancelledStepError()
        return await thread.run('launch', { ...start.launch, step })
      },
    }
  }
}

/** Milliseconds that a runtime has to start a container. */
const RUNTIME_PATIENCE = 60_000

/** Lets the thread start steps by a runtime. */
export function runtimeStarter(
  { thread }: Pick<StepWorkers, 'thread'>,
  runtime: RuntimeProgram,
): StepStarter {
  return async ({ input, required, launch }) => {
    const step = await thread.run('prepareForRuntime', { input, required, runtime })
    return {
      step,
      launch: async (cancelled) => {
        const watch = new RuntimeWatch(step.first.pid, cancelled)
        try {
          if (cancelled.aborted) throw cancelledStepError()
          const onUpdate = (child: SharedChild): void => watch.admit(child)
          return await thread.run('launchByRuntime', { ...launch, step, runtime }, { onUpdate })
        } finally {
          watch[Symbol.dispose]()
          closeView(step.view)
        }
      },
    }
  }
}

/** Ends a runtime, for which the thread waits, when its step is cancelled, or when it takes too long. */
class RuntimeWatch implements Disposable {
  readonly #first: number
  readonly #cancelled: AbortSignal
  readonly #timer: NodeJS.Timeout
  #child: SharedChild | undefined
  #isEnded = false

  /** @param first pid 1 of the step, which is not released meanwhile */
  constructor(first: number, cancelled: AbortSignal) {
    this.#first = first
    this.#cancelled = cancelled
    this.#timer = setTimeout(this.#end, RUNTIME_PATIENCE)
    cancelled.addEventListener('abort', this.#end)
  }

  /** Gets the runtime when it is started. */
  admit(child: SharedChild): void {
    this.#child = child
    if (this.#isEnded || this.#cancelled.aborted) this.#end()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#cancelled.removeEventListener('abort', this.#end)
  }

  /** What it has started is in the pid namespace of the step, or ends without it. */
  readonly #end = (): void => {
    this.#isEnded = true
    sendSignal(this.#first, 'SIGKILL')
    if (this.#child !== undefined) signalChild(this.#child, 'SIGKILL')
  }
}
