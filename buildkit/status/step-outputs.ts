import type { VertexLog } from '#core'
import { LogClip, type LogLimits } from './log-clip.ts'
import type { LogWindow } from './log-window.ts'

/** The two streams of a step that prints. */
interface StepOutput {
  readonly started: number
  readonly stdout: LogClip
  readonly stderr: LogClip
}

/** Output of the steps of a build, clipped. */
export class StepOutputs {
  readonly #logs: LogWindow
  readonly #limits: LogLimits
  readonly #steps = new Map<string, StepOutput>()

  constructor(logs: LogWindow, limits: LogLimits) {
    this.#logs = logs
    this.#limits = limits
  }

  /** @param vertex its digest */
  has(vertex: string): boolean {
    return this.#steps.has(vertex)
  }

  begin(vertex: string, started: number): void {
    const limits = this.#limits
    const stdout = new LogClip(limits)
    this.#steps.set(vertex, { started, stdout, stderr: new LogClip(limits) })
  }

  add(
    vertex: string,
    { stream, data, time }: Pick<VertexLog, 'stream' | 'data'> & { readonly time: number },
  ): void {
    const step = this.#steps.get(vertex)
    if (step === undefined) return
    const shown = step[stream].admit(data, (time - step.started) / 1000)
    this.#logs.add({ vertex, stream: stream === 'stdout' ? 1 : 2, time, data: shown })
  }

  /** Shows what is left of a step. */
  end(vertex: string, time: number): void {
    const step = this.#steps.get(vertex)
    if (step === undefined) return
    this.#steps.delete(vertex)
    this.#logs.add({ vertex, stream: 1, time, data: step.stdout.takeTail() })
    this.#logs.add({ vertex, stream: 2, time, data: step.stderr.takeTail() })
    this.#logs.flush(vertex)
  }
}
