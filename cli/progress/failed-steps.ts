import { type BuildFact, isOfVertex, type VertexKept } from '#core'
import { shortId } from '../terminal/short-id.ts'
import { cleanLine } from '../terminal/text.ts'
import { formatLogTime, LogTail } from './step-output.ts'

const TAIL_LINES = 10

interface Step {
  readonly name: string
  readonly started: number
  readonly tail: LogTail
  kept?: VertexKept
}

/** Keeps the last lines of every step until it succeeds, for the report on those that do not. */
export class FailedSteps {
  readonly #now: () => number
  readonly #running = new Map<string, Step>()
  readonly #failed: Step[] = []

  /** `now` gives milliseconds. */
  constructor(now: () => number) {
    this.#now = now
  }

  handle(event: BuildFact): void {
    if (event.type === 'kept') {
      const step = this.#running.get(event.vertex)
      if (step !== undefined) step.kept = event
      return
    }
    if (!isOfVertex(event) || event.type === 'progress') return
    if (event.type === 'started') {
      const name = cleanLine(event.name)
      const step: Step = { name, started: this.#now(), tail: new LogTail(TAIL_LINES) }
      this.#running.set(event.vertex, step)
      return
    }
    const step = this.#running.get(event.vertex)
    if (step === undefined) return
    if (event.type === 'log') {
      step.tail.push(event, this.#mark(step))
      return
    }
    this.#running.delete(event.vertex)
    if (event.type === 'failed') this.#failed.push(step)
  }

  /**
   * A block for each failed step: its name, its last lines of output, and what shows more.
   * @param flags of the commands that show more
   */
  report(flags = ''): string {
    return this.#failed
      .map((step) => {
        const lines = step.tail.lines(this.#mark(step)).map((line) => `${line}\n`)
        return `------\n > ${step.name}:\n${lines.join('')}------\n${more(step.kept, flags)}`
      })
      .join('')
  }

  #mark(step: Step): string {
    return `${formatLogTime(this.#now() - step.started)} `
  }
}

function more(kept: VertexKept | undefined, flags: string): string {
  if (kept === undefined) return ''
  const { build, step, hasLog, hasLayer } = kept
  const id = shortId(build)
  return [
    ...(hasLog ? [`all that it printed: tsbuild logs ${flags}${id} ${step}\n`] : []),
    ...(hasLayer ? [`a shell where it failed: tsbuild debug ${flags}${id}/${step}\n`] : []),
  ].join('')
}
