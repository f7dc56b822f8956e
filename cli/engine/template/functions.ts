import { formatted } from './printf.ts'
import { templateError } from './template-error.ts'
import { isList, isObject, isTrue, textOf, type Value } from './value.ts'

/** Computes a value of others. */
type TemplateFunction = (args: readonly Value[]) => Value

const text = (value: Value | undefined): string => textOf(value ?? '')

/** Functions of Go's templates, and those that docker adds. */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['json', ([value = null]) => JSON.stringify(value)],
  ['join', ([value = null, by]) => listOf(value).map(textOf).join(text(by))],
  ['split', ([value, by]) => text(value).split(text(by))],
  ['title', ([value]) => text(value).replaceAll(/(?<!\S)\S/g, (letter) => letter.toUpperCase())],
  ['lower', ([value]) => text(value).toLowerCase()],
  ['upper', ([value]) => text(value).toUpperCase()],
  ['pad', ([value, before, after]) => padded(text(value), Number(before), Number(after))],
  ['truncate', ([value, length]) => [...text(value)].slice(0, Number(length)).join('')],
  ['index', ([value = null, ...keys]) => keys.reduce<Value>(indexed, value)],
  ['slice', ([value = null, from, to]) => sliced(value, from, to)],
  ['len', ([value = null]) => lengthOf(value)],
  ['print', (args) => printed(args)],
  ['println', (args) => `${args.map(textOf).join(' ')}\n`],
  ['printf', ([format, ...args]) => formatted(text(format), args)],
  ['html', (args) => printed(args).replaceAll(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`)],
  ['urlquery', (args) => encodeURIComponent(printed(args)).replaceAll('%20', '+')],
  ['js', (args) => JSON.stringify(printed(args)).slice(1, -1).replaceAll("'", "\\'")],
  ['not', ([value = null]) => !isTrue(value)],
  ['and', (args) => args.find((value) => !isTrue(value)) ?? args.at(-1) ?? null],
  ['or', (args) => args.find(isTrue) ?? args.at(-1) ?? null],
  ['eq', ([value, ...others]) => others.some((other) => value === other)],
  ['ne', ([value, other]) => value !== other],
  ['lt', ([value, other]) => compare(value, other) < 0],
  ['le', ([value, other]) => compare(value, other) <= 0],
  ['gt', ([value, other]) => compare(value, other) > 0],
  ['ge', ([value, other]) => compare(value, other) >= 0],
])

/** What range goes through: of an object its values, in the order of its keys. */
export function entriesOf(value: Value): readonly (readonly [Value, Value])[] {
  if (isList(value)) return value.map((item, index) => [index, item] as const)
  if (typeof value === 'number') return Array.from({ length: value }, (_, index) => [index, index])
  if (!isObject(value)) return []
  return Object.keys(value)
    .sort()
    .map((key) => [key, value[key] ?? null] as const)
}

function listOf(value: Value): readonly Value[] {
  return entriesOf(value).map(([, item]) => item)
}

function lengthOf(value: Value): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : listOf(value).length
}

function padded(value: string, before: number, after: number): string {
  return value === '' ? value : ' '.repeat(before) + value + ' '.repeat(after)
}

function indexed(value: Value, key: Value): Value {
  if (isList(value)) {
    const found = value[Number(key)]
    if (found !== undefined) return found
    throw templateError(`a list of ${value.length} has no item ${textOf(key)}`)
  }
  if (!isObject(value)) throw templateError(`${textOf(value)} has no item ${textOf(key)}`)
  const name = textOf(key)
  if (Object.hasOwn(value, name)) return value[name] ?? null
  // Go answers with the empty value of the map's type.
  return Object.values(value).every((other) => typeof other === 'string') ? '' : null
}

function sliced(value: Value, from: Value = 0, to?: Value): Value {
  const end = to === undefined ? undefined : Number(to)
  if (typeof value === 'string' || isList(value)) return value.slice(Number(from), end)
  throw templateError(`${textOf(value)} cannot be sliced`)
}

function printed(args: readonly Value[]): string {
  return args.map(textOf).join('')
}

function compare(value: Value = null, other: Value = null): number {
  if (typeof value === 'string' && typeof other === 'string') {
    return value < other ? -1 : Number(value > other)
  }
  if (typeof value === 'number' && typeof other === 'number') return value - other
  throw templateError(`cannot compare ${textOf(value)} with ${textOf(other)}`)
}
