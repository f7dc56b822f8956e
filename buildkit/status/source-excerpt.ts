import type { Range, SourceInfo } from '#buildkit/messages'
import type { SourceFile } from '#parser'

/** A longer source is sent without the lines that no client shows, bytes. */
const WHOLE_SIZE = 12 * 1024
/** Characters. */
const LONGEST_NAME = 1024
/** Clients show at most four lines beside the places. */
const LINES_BESIDE = 5

/** Lines of a file, 1-based and inclusive. */
export interface LineRange {
  readonly start: number
  readonly end: number
}

/** What clients need of a source to show the lines. */
export interface SourceExcerpt {
  readonly info: Pick<SourceInfo, 'filename' | 'data' | 'language'>
  readonly ranges: readonly Range[]
}

/**
 * The places with the source. Of a long one the lines beside them are sent, at their numbers; where even that
 * is too long, `undefined`.
 */
export function sourceExcerpt(
  { filename, text }: SourceFile,
  lines: readonly LineRange[],
): SourceExcerpt | undefined {
  if (lines.length === 0) return undefined
  const data = Buffer.from(text)
  const sent = data.length <= WHOLE_SIZE ? data : linesBeside(text, lines)
  if (sent.length > WHOLE_SIZE) return undefined
  return {
    info: {
      filename: filename.slice(0, LONGEST_NAME).toWellFormed(),
      data: sent,
      language: 'Dockerfile',
    },
    ranges: lines.map(({ start, end }) => ({
      start: { line: start, character: 0 },
      end: { line: end, character: 0 },
    })),
  }
}

/** The text with the other lines empty, up to the last that is shown. */
function linesBeside(text: string, ranges: readonly LineRange[]): Buffer {
  const isShown = (line: number): boolean =>
    ranges.some(({ start, end }) => line >= start - LINES_BESIDE && line <= end + LINES_BESIDE)
  const last = Math.max(...ranges.map(({ end }) => end)) + LINES_BESIDE
  const lines = text.split('\n', last)
  return Buffer.from(lines.map((line, index) => (isShown(index + 1) ? line : '')).join('\n'))
}
