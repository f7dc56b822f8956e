import type { ProcessEnd } from '#builder/linux'
import type { TaskThread } from '#builder/threads'
import { TsbuildError } from '#core'
import { type SharedChild, signalChild } from '../children/shared-child.ts'
import { noContainer } from '../spec/no-container.ts'
import type { ProcessSpec } from '../spec/process-spec.ts'
import type { ExitStatus, RunningProcess, StartOptions } from '../spec/sandbox.ts'
import { streamsOf } from '../threads/process-streams.ts'
import { cancelledStepError, handleOf, ProcessHandle, stepHandle } from '../threads/step-handle.ts'
import { listenOn } from '../threads/step-listener.ts'
import type * as inPlaceTasks from './in-place-tasks.ts'
import { signalProcess } from './processes/descendants.ts'
import type { InPlaceLaunched } from './step-run.ts'

/** One step in place, from its request to its last process. */
export class InPlaceStep {
  readonly #options: StartOptions
  readonly #started = Promise.withResolvers<RunningProcess>()
  readonly #listeners: Disposable[] = []
  readonly #abort = new AbortController()
  #child: SharedChild | undefined

  /** How it ended, once nothing is left of it. Rejections reach only those who await it. */
  readonly end: Promise<ExitStatus>

  constructor(spec: ProcessSpec, options: StartOptions, thread: TaskThread<typeof inPlaceTasks>) {
    this.#options = options
    this.end = this.#runToEnd(spec, thread)
    this.end.catch(() => undefined)
  }

  /** The handle, once the process runs. @throws as `Sandbox.start` does */
  async started(): Promise<RunningProcess> {
    return await handleOf(this.#started.promise, this.end)
  }

  /** Ends the program, and with it the step; `end` then rejects with CANCELLED. */
  cancel(): void {
    this.#abort.abort()
    this.#kill()
  }

  #kill(): void {
    if (this.#child !== undefined) signalChild(this.#child, 'SIGKILL', signalProcess)
  }

  async #runToEnd(spec: ProcessSpec, thread: TaskThread<typeof inPlaceTasks>): Promise<ExitStatus> {
    const { signal: outer, stdin = 'empty', terminal } = this.#options
    const onAbort = (): void => this.cancel()
    outer?.addEventListener('abort', onAbort)
    const { signal } = this.#abort
    try {
      if (outer?.aborted) this.cancel()
      const onUpdate = (launched: InPlaceLaunched): void => this.#begin(launched)
      const input = { spec, stdin, terminal }
      const ended = await thread.run('runStepInPlace', input, { signal, onUpdate })
      if (signal.aborted) throw cancelledStepError()
      return statusOf(ended)
    } catch (cause) {
      throw signal.aborted ? cancelledStepError() : cause
    } finally {
      outer?.removeEventListener('abort', onAbort)
      for (const listener of this.#listeners) listener[Symbol.dispose]()
    }
  }

  #begin(launched: InPlaceLaunched): void {
    this.#child = launched
    for (const socket of launched.sockets) {
      this.#listeners.push(listenOn(socket, this.#options.onConnect))
    }
    const handle = new ProcessHandle(streamsOf(launched.io, this.end), {
      ...{ pid: launched.pid, end: this.end },
      signal: (name) => signalChild(launched, name),
      kill: () => this.#kill(),
    })
    this.#started.resolve(
      stepHandle(handle, {
        exec: () => Promise.reject(noExecError()),
        ...noContainer('steps in place are not containers'),
      }),
    )
    if (this.#abort.signal.aborted) this.#kill()
  }
}

/** No control group counts what a step in place uses. */
function statusOf({ exitCode, signal, used }: ProcessEnd): ExitStatus {
  return { exitCode, ...(signal === undefined ? {} : { signal }), used }
}

/** Another process would be in the container all the same, whatever becomes of the step and its mounts. */
function noExecError(): TsbuildError {
  return new TsbuildError('start another process beside a step in place', {
    code: 'UNSUPPORTED',
    hint: 'run tsbuild where it can make namespaces',
  })
}
