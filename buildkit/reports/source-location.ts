import type { SourceRange } from '#parser'

/** A place as BuildKit's answers have it: one range for every line, without columns. */
export interface SourceLocation {
  readonly sourceIndex: number
  readonly ranges: readonly LineRange[]
}

interface LineRange {
  readonly start: LinePosition
  readonly end: LinePosition
}

interface LinePosition {
  /** 1-based. */
  readonly line: number
  readonly character: number
}

/** The lines of some ranges in the only source there is. */
export function sourceLocation(ranges: readonly SourceRange[]): SourceLocation {
  return {
    sourceIndex: 0,
    ranges: ranges.flatMap(({ start, end }) =>
      Array.from({ length: Math.max(end.line - start.line, 0) + 1 }, (_, index) => {
        const position = { line: start.line + index, character: 0 }
        return { start: position, end: position }
      }),
    ),
  }
}
