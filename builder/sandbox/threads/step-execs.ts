import { Child } from '../children/child.ts'
import type { ExecInput } from '../process/exec-process.ts'
import { endedStepError, type Launched } from '../process/step-process.ts'
import type { ExecSpec } from '../spec/process-spec.ts'
import type { ExecOptions, ExitStatus, StartedProcess } from '../spec/sandbox.ts'
import { streamsOf } from './process-streams.ts'
import { cancelledStepError, ProcessHandle } from './step-handle.ts'

/** What other processes of a step have in common. */
export type SharedExec = Omit<ExecInput, 'spec' | 'stdin' | 'terminal'>

/** The other processes in the sandbox of one step. */
export class StepExecs {
  readonly #launch: (input: ExecInput) => Promise<Launched>
  readonly #starting = new Set<Promise<unknown>>()
  #isOver = false

  /** @param launch starts a process */
  constructor(launch: (input: ExecInput) => Promise<Launched>) {
    this.#launch = launch
  }

  /** Starts one. @throws as `RunningProcess.exec` does */
  async start(
    shared: SharedExec,
    spec: ExecSpec,
    options: ExecOptions = {},
  ): Promise<StartedProcess> {
    const { signal, stdin = 'empty', terminal } = options
    if (signal?.aborted) throw cancelledStepError()
    if (this.#isOver) throw endedStepError()
    const starting = this.#launch({ ...shared, spec, stdin, terminal })
    this.#starting.add(starting)
    try {
      return handleOfExec(await starting, signal)
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
function handleOfExec({ pid, io }: Launched, signal: AbortSignal | undefined): StartedProcess {
  const child = new Child(pid)
  const kill = (): void => child.signal('SIGKILL')
  const end = endOf(child, signal)
  end.catch(() => undefined)
  signal?.addEventListener('abort', kill)
  end.finally(() => signal?.removeEventListener('abort', kill)).catch(() => undefined)
  if (signal?.aborted) kill()
  return new ProcessHandle(streamsOf(io, end), { end, signal: (name) => child.signal(name), kill })
}

async function endOf(child: Child, signal: AbortSignal | undefined): Promise<ExitStatus> {
  const { exitCode, signal: ended, used } = await child.end
  if (signal?.aborted) throw cancelledStepError()
  return { exitCode, ...(ended === undefined ? {} : { signal: ended }), used }
}
