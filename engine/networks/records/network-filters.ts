import { TsbuildError } from '#core'
import { type Filters, matchesAny, matchesLabels, parseFilters } from '#engine/model'
import { isPredefined, type NetworkRecord } from './network-record.ts'

/** Which networks are listed. @throws {TsbuildError} USAGE, IO_FAILED, as docker */
export function networkFilter(
  text: string | undefined,
  isUsed: (network: NetworkRecord) => boolean,
): (network: NetworkRecord) => boolean {
  const filters = parseFilters(text, LIST_FILTERS)
  const wantsUsed = usedOf(filters)
  const kinds = filters.get('type') ?? []
  const unknown = kinds.find((kind) => kind !== 'builtin' && kind !== 'custom')
  if (unknown !== undefined) {
    throw new TsbuildError(`invalid filter: 'type'='${unknown}'`, { code: 'IO_FAILED' })
  }
  return (network) =>
    matchesAny(filters, 'driver', (value) => value === network.driver) &&
    matchesAny(filters, 'id', (value) => network.id.startsWith(value)) &&
    matchesAny(filters, 'name', (value) => fits(value, network.name)) &&
    matchesAny(filters, 'scope', (value) => value === 'local') &&
    matchesAny(filters, 'type', (value) => (value === 'builtin') === isPredefined(network)) &&
    matchesLabels(filters, network.labels) &&
    (wantsUsed === undefined || (!isPredefined(network) && isUsed(network) === wantsUsed))
}

/** Which networks that nobody uses are removed. @throws {TsbuildError} USAGE */
export function pruneFilter(text: string | undefined): (network: NetworkRecord) => boolean {
  const filters = parseFilters(text, PRUNE_FILTERS)
  const untils = (filters.get('until') ?? []).map(momentOf)
  return ({ labels, created }) =>
    matchesLabels(filters, labels) && untils.every((until) => Date.parse(created) < until)
}

const LIST_FILTERS: readonly string[] = [
  ...['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'],
]
const PRUNE_FILTERS: readonly string[] = ['label', 'label!', 'until']

/** `dangling` asks for what nobody uses. */
function usedOf(filters: Filters): boolean | undefined {
  const [value] = filters.get('dangling') ?? []
  if (value === undefined) return undefined
  if (value === 'true' || value === '1') return false
  if (value === 'false' || value === '0') return true
  throw new TsbuildError(
    'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
    { code: 'USAGE' },
  )
}

/** A name, a part of one, or a pattern of Go's. */
function fits(value: string, name: string): boolean {
  if (name.includes(value)) return true
  // What is longer than names is none of them, and might be long to compare.
  if (value.length > MAX_PATTERN || !SIMPLE_PATTERN.test(value)) return false
  return new RegExp(value).test(name)
}

const MAX_PATTERN = 100
/** Without groups and repeated repetitions, so that it is compared in linear time. */
const SIMPLE_PATTERN = /^\^?(?:[\w./:-]|\[[\w-]+\](?![*+]))*(?:\.\*)?[\w./:-]*\$?$/

/** A time, seconds since the epoch, or how long ago. */
function momentOf(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  const spans = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (spans.length > 0 && spans.map(([whole]) => whole).join('') === text) {
    const past = spans.reduce(
      (sum, [, count = '', unit = '']) => sum + Number(count) * (UNITS[unit] ?? 0),
      0,
    )
    return Date.now() - past
  }
  const moment = Date.parse(text)
  if (!Number.isNaN(moment)) return moment
  throw new TsbuildError(`invalid value for filter 'until': ${text}`, { code: 'USAGE' })
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
