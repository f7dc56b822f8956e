import { fileURLToPath } from 'node:url'
import { assertGoldenText } from '../support/golden/index.ts'

/** `fixtures/parser`, seen from the compiled test. */
export const FIXTURES: string = fileURLToPath(new URL('../../../fixtures/parser', import.meta.url))

/** Compares with a golden file, or writes it: `UPDATE=1`. */
export function assertGolden(file: string, value: unknown): void {
  assertGoldenText(file, `${JSON.stringify(value, compact, 2)}\n`)
}

/** Ranges as `line:column-line:column`, spans of lines as `first-last`, maps as objects. */
function compact(key: string, value: unknown): unknown {
  if (key === 'lines') return Object.values(Object(value)).join('-')
  if (value instanceof Map) return Object.fromEntries(value)
  if (!isRange(value)) return value
  const { start, end } = value
  return `${start.line}:${start.column}-${end.line}:${end.column}`
}

/** What of an AST tells where something stands, or how it was spaced. */
const POSITIONS = new Set(['range', 'lines', 'offset', 'text', 'trigger'])

/** An AST as `print` has to keep it. The text of a comment is content. */
export function withoutPositions(value: unknown): unknown {
  if (value instanceof Map) return value
  if (Array.isArray(value)) return value.map(withoutPositions)
  if (typeof value !== 'object' || value === null) return value
  const isComment = 'text' in value && Object.keys(value).length === 2
  const entries = Object.entries(value).filter(
    ([key]) => !POSITIONS.has(key) || (isComment && key === 'text'),
  )
  return Object.fromEntries(entries.map(([key, part]) => [key, withoutPositions(part)]))
}

interface Place {
  readonly line: number
  readonly column: number
}

function isRange(value: unknown): value is { readonly start: Place; readonly end: Place } {
  return typeof value === 'object' && value !== null && 'start' in value && 'end' in value
}
