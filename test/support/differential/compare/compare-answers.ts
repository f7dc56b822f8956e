import { compareValues, flatten, type Values } from './compare-values.ts'

type Json = Readonly<Record<string, unknown>>

/** What BuildKit lists in no order: what a target takes. */
const UNORDERED = ['args', 'secrets', 'ssh', 'cache']

/**
 * How the answers to a question of `--call` differ, apart from the Dockerfile that they repeat, from
 * how rules are described, and from what Go leaves out of JSON: zeros.
 */
export function compareAnswers(ours: unknown, theirs: unknown): string[] {
  return compareValues(valuesOf(ours as Json), valuesOf(theirs as Json))
}

function valuesOf(answer: Json): Values {
  const { sources: _, warnings, ...document } = answer
  const found = ((warnings ?? []) as readonly Json[]).map(({ description: _, ...rest }) => rest)
  const sorted = UNORDERED.flatMap((key) => {
    const list = answer[key]
    return Array.isArray(list) ? [[key, list.toSorted(byName)] as const] : []
  })
  const values = new Map<string, string>()
  flatten({ ...document, ...Object.fromEntries(sorted), warnings: found }, 'answer', values)
  return new Map([...values].filter(([, value]) => !['0', 'false', '""'].includes(value)))
}

function byName(a: Json, b: Json): number {
  return `${a.name}` < `${b.name}` ? -1 : 1
}
