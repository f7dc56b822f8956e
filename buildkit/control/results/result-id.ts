import { type Definition, type Draft, OP } from '#buildkit/messages'
import { digestOf, randomName } from '#core'

/** Operations of this kind are results of ours, which only we understand. */
const SCHEME = 'tsbuild-result://'
const ID_LENGTH = 25

/** A new name for a result. */
export function newResultId(): string {
  return randomName(ID_LENGTH)
}

/** A result as a definition, for clients to hand back. */
export function resultDefinition(id: string): Draft<Definition> {
  const source = OP.encode({ source: { identifier: `${SCHEME}${id}` } })
  const last = OP.encode({ inputs: [{ digest: digestOf(source) }] })
  // Clients take one without any for none.
  const metadata = new Map([source, last].map((bytes) => [digestOf(bytes), {}] as const))
  return { def: [source, last], metadata }
}

/** The result that a definition is, if it is one of ours. */
export function resultIn({ def }: Pick<Definition, 'def'>): string | undefined {
  const identifiers = def.map((bytes) => OP.decode(bytes).source?.identifier ?? '')
  const found = identifiers.find((identifier) => identifier.startsWith(SCHEME))
  return found?.slice(SCHEME.length)
}
