import type { RunMount, Word } from '../ast/ast.ts'
import { parseCsv } from '../text/csv.ts'
import type { Site } from './site.ts'

/** Keys that need no value, and the value that they have without one. */
const ALONE: ReadonlyMap<string, string> = new Map([
  ['readonly', 'true'],
  ['ro', 'true'],
  ['readwrite', 'true'],
  ['rw', 'true'],
  ['required', 'true'],
  ['env', ''],
  ['z', 'true'],
  ['u', 'true'],
])

/**
 * Splits the value of a `--mount=`. Keys become lower case. A key without a value is `true` (`env`:
 * empty) where that is allowed, and has no value elsewhere. Of a repeated key the last one counts,
 * also in the order of the fields. What BuildKit reports only for steps that are built is not a
 * mistake here.
 */
export function parseRunMount(raw: Word, site: Site): RunMount {
  const fields = new Map<string, string | undefined>()
  const parsed = parseCsv(raw.raw)
  if ('mistake' in parsed) {
    site.fail(`failed to parse csv mounts: ${parsed.mistake}`, { range: raw.range })
    return { raw, fields }
  }
  for (const field of parsed) {
    const equals = field.indexOf('=')
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase()
    const value = equals < 0 ? ALONE.get(key) : field.slice(equals + 1)
    const name = value === undefined ? field : key
    fields.delete(name)
    fields.set(name, value)
  }
  if (hasVariable(fields.get('from') ?? '')) {
    site.fail("'from' doesn't support variable expansion, define alias stage instead", {
      range: raw.range,
      hint: 'add FROM $IMAGE AS name, and write from=name',
    })
  }
  return { raw, fields }
}

/** A dollar sign at the very end stands for itself. */
function hasVariable(text: string): boolean {
  const dollar = text.indexOf('$')
  return dollar >= 0 && dollar < text.length - 1
}
