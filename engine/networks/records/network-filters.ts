import { TsbuildError } from '#core'
import {
  type Filters,
  matchesAny,
  matchesLabels,
  nameFilter,
  parseFilters,
  parseTime,
  untilFilter,
} from '#engine/model'
import { isPredefined, type NetworkRecord } from './network-record.ts'

/** Which networks are listed. @throws {TsbuildError} USAGE, IO_FAILED, as docker */
export function networkFilter(
  text: string | undefined,
  isUsed: (network: NetworkRecord) => boolean,
): (network: NetworkRecord) => boolean {
  const filters = parseFilters(text, LIST_FILTERS)
  const wantsUsed = usedOf(filters)
  const isNamed = nameFilter(filters)
  const kinds = filters.get('type') ?? []
  const unknown = kinds.find((kind) => kind !== 'builtin' && kind !== 'custom')
  if (unknown !== undefined) {
    throw new TsbuildError(`invalid filter: 'type'='${unknown}'`, { code: 'IO_FAILED' })
  }
  return (network) =>
    matchesAny(filters, 'driver', (value) => value === network.driver) &&
    matchesAny(filters, 'id', (value) => network.id.startsWith(value)) &&
    isNamed(network.name) &&
    matchesAny(filters, 'scope', (value) => value === 'local') &&
    matchesAny(filters, 'type', (value) => (value === 'builtin') === isPredefined(network)) &&
    matchesLabels(filters, network.labels) &&
    (wantsUsed === undefined || (!isPredefined(network) && isUsed(network) === wantsUsed))
}

/** Which networks that nobody uses are removed. @throws {TsbuildError} USAGE */
export function pruneFilter(text: string | undefined): (network: NetworkRecord) => boolean {
  const filters = parseFilters(text, PRUNE_FILTERS)
  const isOld = untilFilter(filters)
  return ({ labels, created }) => matchesLabels(filters, labels) && isOld(parseTime(created))
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
