/** Which of a container's outputs. */
export type LogStream = 'stdout' | 'stderr'

/** What a container has printed: a line, or a piece of at most 16 KiB of a longer one. */
export interface LogLine {
  readonly stream: LogStream
  /** When the first byte of the line came: nanoseconds since the epoch. The same for all pieces of a line. */
  readonly time: bigint
  /** Ends in a newline, except for a piece that is not the last of its line. */
  readonly data: Uint8Array
  /** It is a piece that continues the line which is the latest of its stream. */
  readonly isContinued: boolean
}

/** Whether a line, or a piece of one, ends in a newline. */
export function endsLine(data: Uint8Array): boolean {
  return data.at(-1) === NEWLINE
}

export const NEWLINE = 0x0a
