/** Lines and columns are 1-based; a column counts UTF-16 units. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** From line `first` to line `last`, both included. */
export interface LineSpan {
  readonly first: number
  readonly last: number
}

/** From `start` up to and not including `end`. */
export interface SourceRange {
  readonly start: Position
  readonly end: Position
}
