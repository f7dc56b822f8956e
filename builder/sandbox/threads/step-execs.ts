import { Child } from '../children/child.ts'
import type { ExecInput } from '../process/exec-process.ts'
import { endedStepError, type Launched } from '../process/step-process.ts'
import type { ExecSpec } from '../spec/process-spec.ts'
import type { ExecOptions, ExitStatus, StartedProcess } from '../spec/sandbox.ts'
import { streamsOf } from './process-streams.ts'
import { cancelledStepError, ProcessHandle } from './step-handle.ts'

/** What other processes of a step have in common. */
export interface SharedExec extends Omit<ExecInput, 'spec' | 'stdin' | 'terminal'> {
  /** Aborted when the step is cancelled. */
  readonly cancelled: AbortSignal
}

/** Starts a process. */
type Launch = (input: ExecInput, signal: AbortSignal | undefined) => Promise<Launched>

/** The other processes in the sandbox of one step. */
export class StepExecs {
  readonly #launch: Launch
  readonly #starting = new Set<Promise<unknown>>()
  #isOver = false

  constructor(launch: Launch) {
    this.#launch = launch
  }

  /** Starts one. @throws as `RunningProcess.exec` does */
  async start(
    { cancelled, ...shared }: SharedExec,
    spec: ExecSpec,
    { signal, stdin = 'empty', terminal }: ExecOptions = {},
  ): Promise<StartedProcess> {
    const isCancelled = (): boolean => cancelled.aborted || signal?.aborted === true
    if (isCancelled()) throw cancelledStepError()
    if (this.#isOver) throw endedStepError()
    const starting = this.#launch({ ...shared, spec, stdin, terminal }, signal)
    this.#starting.add(starting)
    try {
      const handle = handleOfExec(await starting, signal, isCancelled)
      if (!isCancelled()) return handle
      await handle[Symbol.asyncDispose]()
      throw cancelledStepError()
    } finally {
      this.#starting.delete(starting)
    }
  }

  /** No more are started from now on. @returns when none is being started */
  async close(): Promise<void> {
    this.#isOver = true
    await Promise.allSettled(this.#starting)
  }
}

/** Those that still run end with pid 1. */
function handleOfExec(
  { pid, io }: Launched,
  signal: AbortSignal | undefined,
  isCancelled: () => boolean,
): StartedProcess {
  const child = new Child(pid)
  const kill = (): void => child.signal('SIGKILL')
  const end = endOf(child, isCancelled)
  end.catch(() => undefined)
  signal?.addEventListener('abort', kill)
  end.finally(() => signal?.removeEventListener('abort', kill)).catch(() => undefined)
  return new ProcessHandle(streamsOf(io, end), {
    ...{ pid, end, kill },
    signal: (signal) => child.signal(signal),
  })
}

async function endOf(child: Child, isCancelled: () => boolean): Promise<ExitStatus> {
  const { exitCode, signal, used } = await child.end
  if (isCancelled()) throw cancelledStepError()
  return { exitCode, ...(signal === undefined ? {} : { signal }), used }
}
