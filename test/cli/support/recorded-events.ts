import type { BuildFact } from '#core'

export interface RecordedEvent {
  /** Milliseconds since the start of the build. */
  readonly at: number
  /** `undefined` when only time passes. */
  readonly event: BuildFact | undefined
}

/** One JSON object a line: `at`, and the event with the text of a log instead of its bytes. */
export function readEvents(text: string): readonly RecordedEvent[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { at, tick, text: data, ...event } = JSON.parse(line)
      if (tick === true) return { at, event: undefined }
      return { at, event: data === undefined ? event : { ...event, data: Buffer.from(data) } }
    })
}
