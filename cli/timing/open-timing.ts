import { type BuildEvent, eventTime } from '#core'
import type { ProgressMode } from '../progress/progress.ts'
import type { Shell } from '../terminal/shell.ts'
import { type BuildTiming, TimingRecorder } from './build-timing.ts'
import { type ProcessorTime, processorTime, processStart } from './this-process.ts'
import { timingTable } from './timing-table.ts'

/** The report of a build's time while the build runs. */
export interface Timing {
  /** The first event: what went before the build. */
  readonly start: BuildEvent
  handle(event: BuildEvent): void
  /** Prints on standard error where the time went: a table, or a line of JSON for `rawjson`. */
  report(): void
}

/** Call it when the build is about to begin. */
export function openTiming(mode: ProgressMode, { stderr }: Pick<Shell, 'stderr'>): Timing {
  const recorder = new TimingRecorder()
  const [started, time] = [processStart(), eventTime()]
  return {
    start: { type: 'span', part: 'start', started, milliseconds: time - started, time },
    handle: (event) => recorder.handle(event),
    report: () => {
      const [timing, processor] = [recorder.timing(), processorTime()]
      const text =
        mode === 'rawjson' ? timingLine(timing, processor) : timingTable(timing, processor)
      stderr.write(text)
    },
  }
}

/** BuildKit's clients ignore it, as a replay does, which has the events. */
function timingLine(timing: BuildTiming, processor: ProcessorTime): string {
  return `${JSON.stringify({ tsbuild: { type: 'timing', timing: { ...timing, processor } } })}\n`
}
