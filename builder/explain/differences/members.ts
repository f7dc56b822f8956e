import { canonicalJson, isJsonObject, type Json, type JsonObject } from '#core'
import type { Difference } from '../report/explanation.ts'

/** A member in which two documents differ; `undefined` or null: one does not have it. */
export interface MemberDifference {
  /** Names of members with dots between them. */
  readonly path: string
  readonly from: Json | undefined
  readonly to: Json | undefined
}

/** The innermost members in which two documents differ, by name. Lists differ as a whole. */
export function* memberDifferences(
  from: Json | undefined,
  to: Json | undefined,
  path = '',
): Generator<MemberDifference> {
  const isObject = isJsonObject(from) || isJsonObject(to)
  if (isObject && isObjectOrAbsent(from) && isObjectOrAbsent(to)) {
    const names = new Set([...Object.keys(from ?? {}), ...Object.keys(to ?? {})])
    for (const name of [...names].sort()) {
      const inner = path === '' ? name : `${path}.${name}`
      yield* memberDifferences(from?.[name], to?.[name], inner)
    }
  } else if (canonicalJson(from ?? null) !== canonicalJson(to ?? null)) {
    yield { path, from, to }
  }
}

function isObjectOrAbsent(value: Json | undefined): value is JsonObject | null | undefined {
  return value === undefined || value === null || isJsonObject(value)
}

/** The difference as it is reported. */
export function toDifference(
  { from, to }: Pick<MemberDifference, 'from' | 'to'>,
  named: Pick<Difference, 'what' | 'name'>,
): Difference {
  const [before, after] = [valueText(from), valueText(to)]
  return {
    ...named,
    change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
    ...(before === undefined ? {} : { from: before }),
    ...(after === undefined ? {} : { to: after }),
  }
}

/** A value as text: a list of texts with blanks between them, all else but texts as JSON. */
export function valueText(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string') return value
  const isList = Array.isArray(value) && value.every((one) => typeof one === 'string')
  return isList ? value.join(' ') : canonicalJson(value)
}

/** A member of an object; `undefined` of all else. */
export function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** The elements of a list; none of all else. */
export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

/** The texts of a list of texts; none of all else. */
export function textsOf(value: Json | undefined): readonly string[] {
  return listOf(value).flatMap((one) => (typeof one === 'string' ? [one] : []))
}

/** A text; empty for all else. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
