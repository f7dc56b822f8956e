import type { BuildEvent, BuildPart, StepUsage } from '#core'
import { type Interval, type PartTime, shareOut } from './share-out.ts'

/** Where the time of a build went; milliseconds. */
export interface BuildTiming {
  /** From the start of the first that was reported to the last event. */
  readonly total: number
  /** Those that took any time, in the order in which a build comes to them. */
  readonly parts: readonly (PartTime & { readonly part: BuildPart })[]
  /** In which several parts were under way. */
  readonly overlap: number
  /** In which none of them was. */
  readonly other: number
  /** Those that were executed, slowest first. */
  readonly steps: readonly StepTiming[]
}

/** A step that was executed. */
export interface StepTiming {
  readonly name: string
  /** Lines of the Dockerfile; absent where no plan says them. */
  readonly lines?: { readonly start: number; readonly end: number }
  /** With the wait for the layers below it. */
  readonly milliseconds: number
  /** What its processes have used; absent where none ran. */
  readonly usage?: StepUsage
}

const PARTS: readonly BuildPart[] = [
  ...(['start', 'parse', 'store', 'resolve', 'keys', 'fetch', 'unpacking', 'steps'] as const),
  ...(['packing', 'export', 'sync', 'waiting'] as const),
]

type Started = Extract<BuildEvent, { readonly type: 'started' }>

/** Finds out from the events of a build where its time went. */
export class TimingRecorder {
  readonly #intervals: Interval[] = []
  readonly #running = new Map<string, Started>()
  readonly #lines = new Map<string, Pick<StepTiming, 'lines'>>()
  readonly #usages = new Map<string, Pick<StepTiming, 'usage'>>()
  readonly #steps: StepTiming[] = []
  #first = Number.POSITIVE_INFINITY
  #last = Number.NEGATIVE_INFINITY

  handle(event: BuildEvent): void {
    this.#first = Math.min(this.#first, event.type === 'span' ? event.started : event.time)
    this.#last = Math.max(this.#last, event.time)
    switch (event.type) {
      case 'planned':
        for (const { id, lines } of event.vertices) {
          if (lines.start > 0) this.#lines.set(id, { lines })
        }
        break
      case 'span': {
        const { part, started, milliseconds } = event
        this.#intervals.push({ part, from: started, to: started + milliseconds })
        break
      }
      case 'usage': {
        const { type: _type, time: _time, vertex, ...usage } = event
        this.#usages.set(vertex, { usage })
        break
      }
      case 'started':
        this.#running.set(event.vertex, event)
        break
      case 'done':
      case 'cached':
      case 'failed':
      case 'cancelled':
        this.#end(event.vertex, event)
    }
  }

  /** What is known so far. What has not ended is under way up to the last event. */
  timing(): BuildTiming {
    for (const vertex of [...this.#running.keys()]) this.#end(vertex, { time: this.#last })
    const { parts, overlap, covered } = shareOut(this.#intervals)
    const total = Math.max(0, this.#last - this.#first)
    return {
      total,
      parts: PARTS.flatMap((part) => {
        const time = parts.get(part)
        return time === undefined || time.wall === 0 ? [] : [{ part, ...time }]
      }),
      overlap,
      other: Math.max(0, total - covered),
      steps: this.#steps.toSorted((a, b) => b.milliseconds - a.milliseconds),
    }
  }

  #end(
    vertex: string,
    { time: to, type }: Pick<BuildEvent, 'time'> & { readonly type?: string },
  ): void {
    const started = this.#running.get(vertex)
    if (started === undefined) return
    this.#running.delete(vertex)
    const { name, part, reason, time: from } = started
    if (part !== undefined) this.#intervals.push({ part, from, to })
    // A result that was found: nothing was done.
    if (part !== undefined || type === 'cached') return
    // A step has its time in spans, but for those that another builder has reported.
    if (reason === undefined) this.#intervals.push({ part: 'steps', from, to })
    this.#steps.push({
      name,
      ...this.#lines.get(vertex),
      milliseconds: to - from,
      ...this.#usages.get(vertex),
    })
  }
}
