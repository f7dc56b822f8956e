import type { Json } from '#core'
import { type Filters, matchesAny, matchesLabels, parseMoment } from '#engine/model'
import type { EngineEvent, Events } from '#engine/state'

/** Which events are asked for. */
export interface EventQuery {
  readonly filters: Filters
  /** Seconds since the epoch with a fraction, RFC 3339, or a span before now. */
  readonly since: string | undefined
  readonly until: string | undefined
  readonly signal: AbortSignal
  /** Of the API's version: 41 for 1.41. */
  readonly minor: number
}

/** When events are, in nanoseconds since the epoch. */
interface Span {
  readonly first: bigint | undefined
  readonly last: bigint | undefined
}

/**
 * Past events where a time is named, then those to come until another time, or for ever.
 * @throws {TsbuildError} USAGE for a time that means nothing, before the first is asked for
 */
export function eventsOf(events: Events, query: EventQuery): AsyncIterable<Json> {
  const { since, until } = query
  const first = since === undefined ? undefined : parseMoment(since)
  const last = until === undefined ? undefined : parseMoment(until)
  return eventsWithin({ first, last }, events, query)
}

async function* eventsWithin(
  { first, last }: Span,
  events: Events,
  { filters, signal, minor }: EventQuery,
): AsyncGenerator<Json> {
  const queue: EngineEvent[] = []
  let wake = Promise.withResolvers<void>()
  using _listening = events.listen((event) => {
    queue.push(event)
    wake.resolve()
  })
  if (first !== undefined)
    queue.unshift(...events.latest().filter(({ timeNano }) => timeNano >= first))
  using _timer = endTimer(last, () => wake.resolve())
  const onAbort = (): void => wake.resolve()
  signal.addEventListener('abort', onAbort)
  for (;;) {
    for (const event of queue.splice(0)) {
      if (last !== undefined && event.timeNano > last) return
      if (matches(event, filters)) yield documentOf(event, minor)
    }
    if (signal.aborted || (last !== undefined && nowNano() >= last)) return
    await wake.promise
    wake = Promise.withResolvers()
  }
}

function nowNano(): bigint {
  return BigInt(Date.now()) * 1_000_000n
}

/** Longer is not waited for with one timer. */
const MOST_WAIT = 2 ** 31 - 1

function endTimer(last: bigint | undefined, onEnd: () => void): Disposable {
  if (last === undefined) return { [Symbol.dispose]: () => undefined }
  const wait = Math.min(Math.max(Number((last - nowNano()) / 1_000_000n) + 1, 0), MOST_WAIT)
  const timer = setTimeout(onEnd, wait)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}

function matches({ Type, Action, Actor }: EngineEvent, filters: Filters): boolean {
  const { ID, Attributes } = Actor
  const isNamed = (kind: string, wanted: string): boolean =>
    Type === kind && (ID.startsWith(wanted) || Attributes.name === wanted.replace(/^\//, ''))
  return (
    matchesAny(filters, 'type', (wanted) => wanted === Type) &&
    matchesAny(
      filters,
      'event',
      (wanted) => Action === wanted || Action.startsWith(`${wanted}:`),
    ) &&
    matchesAny(filters, 'container', (wanted) => isNamed('container', wanted)) &&
    matchesAny(filters, 'network', (wanted) => isNamed('network', wanted)) &&
    matchesAny(filters, 'volume', (wanted) => Type === 'volume' && ID === wanted) &&
    matchesAny(filters, 'image', (wanted) =>
      isOfImage(Type, [ID, Attributes.name, Attributes.image], wanted),
    ) &&
    matchesLabels(filters, Attributes)
  )
}

function isOfImage(type: string, names: readonly (string | undefined)[], wanted: string): boolean {
  if (type !== 'image' && type !== 'container') return false
  return names.some(
    (name) => name === wanted || name === `${wanted}:latest` || name?.split(':')[0] === wanted,
  )
}

function documentOf(event: EngineEvent, minor: number): Json {
  const { Type, Action, Actor, scope, time, timeNano } = event
  const ofOldClients =
    minor < 52 && (Type === 'container' || Type === 'image')
      ? {
          status: Action,
          id: Actor.ID,
          ...(Type === 'container' ? { from: Actor.Attributes.image ?? '' } : {}),
        }
      : {}
  // Nanoseconds are more than a double holds: the nearest one is what clients in JavaScript read in any case.
  return { ...ofOldClients, Type, Action, Actor, scope, time, timeNano: Number(timeNano) }
}
