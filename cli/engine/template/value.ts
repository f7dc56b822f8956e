/** What a template computes with: JSON, and methods that rows of lists have. */
export type Value = null | boolean | number | string | readonly Value[] | ValueObject | Method

/** Fields by their names. */
export interface ValueObject {
  readonly [name: string]: Value
}

/** Is called with what stands behind its name. */
export type Method = (args: readonly Value[]) => Value

/** A template that was read. */
export type Template = (data: Value) => string

/** @returns whether fields can be asked for */
export function isObject(value: Value): value is ValueObject {
  return typeof value === 'object' && value !== null && !isList(value)
}

/** @returns whether it has items */
export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

/** Spec: Go text/template, "if": the empty values */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0
  if (isObject(value)) return Object.keys(value).length > 0
  return Boolean(value)
}

/** As Go's fmt prints values. */
export function textOf(value: Value): string {
  if (value === null) return '<nil>'
  if (isList(value)) return `[${value.map(textOf).join(' ')}]`
  if (!isObject(value)) return String(value)
  const keys = Object.keys(value).sort()
  return `map[${keys.map((key) => `${key}:${textOf(value[key] ?? null)}`).join(' ')}]`
}
