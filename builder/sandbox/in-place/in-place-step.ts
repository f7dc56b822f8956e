import { openSync } from 'node:fs'
import { TaskThread } from '#builder/threads'
import { type SharedChild, whileTaken } from '../children/shared-child.ts'
import { endedStepError } from '../process/step-process.ts'
import type { ExecSpec, ProcessSpec } from '../spec/process-spec.ts'
import type {
  ExecOptions,
  ExitStatus,
  RunningProcess,
  StartedProcess,
  StartOptions,
} from '../spec/sandbox.ts'
import { cancelledStepError, stepHandle } from '../threads/step-handle.ts'
import { listenOn } from '../threads/step-listener.ts'
import type { runExecInPlace } from './exec-run.ts'
import { InPlaceProcess } from './in-place-process.ts'
import type * as inPlaceTasks from './in-place-tasks.ts'
import type { InPlaceLaunched } from './step-run.ts'

/** One step in place, from its request to the last process in its root. */
export class InPlaceStep {
  readonly #spec: ProcessSpec
  readonly #process: InPlaceProcess<InPlaceLaunched>
  readonly #onConnect: StartOptions['onConnect']
  /** Other processes, each in a thread of its own. */
  readonly #execs = new Set<InPlaceProcess>()
  readonly #listeners: Disposable[] = []
  #isOver = false

  /** How it ended, once nothing is left of it. Rejections reach only those who await it. */
  readonly end: Promise<ExitStatus>

  constructor(spec: ProcessSpec, options: StartOptions, thread: TaskThread<typeof inPlaceTasks>) {
    const { stdin = 'empty', terminal, onConnect } = options
    this.#spec = spec
    this.#onConnect = onConnect
    this.#process = new InPlaceProcess(options, async (control) => {
      try {
        return await thread.run('runStepInPlace', { spec, stdin, terminal }, control)
      } finally {
        await this.#endOthers()
      }
    })
    this.end = this.#process.end
  }

  /** The handle, once the process runs. @throws as `Sandbox.start` does */
  async started(): Promise<RunningProcess> {
    const { handle, program } = await this.#process.started()
    for (const socket of program.sockets) {
      this.#listeners.push(listenOn(socket, this.#onConnect))
    }
    return stepHandle(handle, (spec, options) => this.#exec(program, spec, options))
  }

  /** Ends the program, and with it the step; `end` then rejects with CANCELLED. */
  cancel(): void {
    this.#process.cancel()
  }

  async #endOthers(): Promise<void> {
    this.#isOver = true
    for (const listener of this.#listeners) listener[Symbol.dispose]()
    for (const exec of this.#execs) exec.cancel()
    await Promise.allSettled([...this.#execs].map(({ end }) => end))
  }

  /** The thread that the step itself is waited for in is not free. */
  async #exec(
    first: SharedChild,
    spec: ExecSpec,
    options: ExecOptions = {},
  ): Promise<StartedProcess> {
    const { signal, stdin = 'empty', terminal } = options
    if (signal?.aborted) throw cancelledStepError()
    const { security, ulimits } = this.#spec
    const network = this.#openNetwork(first)
    const input = { spec, security, ulimits, stdin, terminal, network }
    const script = new URL('./exec-worker.js', import.meta.url)
    const thread = new TaskThread<{ readonly runExecInPlace: typeof runExecInPlace }>({
      ...{ doing: 'start a process in place', script, settings: {} },
    })
    const process = new InPlaceProcess(options, async (control) => {
      try {
        return await thread.run('runExecInPlace', input, control)
      } finally {
        await thread.close()
      }
    })
    this.#execs.add(process)
    const onEnd = (): void => void this.#execs.delete(process)
    process.end.then(onEnd, onEnd)
    return (await process.started()).handle
  }

  /** That of the step where it has one of its own. @throws {TsbuildError} STEP_FAILED when the step has ended */
  #openNetwork(first: SharedChild): number | undefined {
    if (this.#isOver) throw endedStepError()
    if (this.#spec.network !== 'none') return undefined
    const network = whileTaken(first, () => openSync(`/proc/${first.pid}/ns/net`, 'r'))
    if (network === undefined) throw endedStepError()
    return network
  }
}
