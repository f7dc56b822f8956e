import type { Json } from '#core'
import type { Difference } from '../report/explanation.ts'
import { textsOf, toDifference } from './members.ts'

/**
 * In which variables two environments of a step differ.
 * @param isArgument whether a variable is a build argument
 */
export function variableDifferences(
  from: Json | undefined,
  to: Json | undefined,
  isArgument: (name: string) => boolean,
): readonly Difference[] {
  const [before, after] = [variablesOf(from), variablesOf(to)]
  const found = [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const values = { from: before.get(name), to: after.get(name) }
    if (values.from === values.to) return []
    return [toDifference(values, { what: isArgument(name) ? 'argument' : 'environment', name })]
  })
  if (found.length > 0 || isEqual(textsOf(from), textsOf(to))) return found
  return [{ what: 'order of the environment', change: 'changed' }]
}

/** `KEY=value` of an environment, by key. */
export function variablesOf(value: Json | undefined): ReadonlyMap<string, string> {
  return new Map(
    textsOf(value).map((entry) => {
      const at = entry.indexOf('=')
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
}

function isEqual(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((text, index) => text === b[index])
}
