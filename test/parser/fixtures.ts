import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** `fixtures/parser`, seen from the compiled test. */
export const FIXTURES: string = fileURLToPath(new URL('../../../fixtures/parser', import.meta.url))

/** Folders under `folder` that hold a Dockerfile. */
export function casesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => existsSync(`${folder}/${name}/Dockerfile`))
    .toSorted()
}

/** Compares with a golden file, or writes it: `UPDATE=1`. */
export function assertGolden(file: string, value: unknown): void {
  const text = `${JSON.stringify(value, compact, 2)}\n`
  if (process.env.UPDATE !== undefined) writeFileSync(file, text)
  assert.equal(text, readFileSync(file, 'utf8'))
}

/** Ranges as `line:column-line:column`, maps as objects. */
function compact(_key: string, value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries(value)
  if (!isRange(value)) return value
  const { start, end } = value
  return `${start.line}:${start.column}-${end.line}:${end.column}`
}

interface Place {
  readonly line: number
  readonly column: number
}

function isRange(value: unknown): value is { readonly start: Place; readonly end: Place } {
  return typeof value === 'object' && value !== null && 'start' in value && 'end' in value
}
