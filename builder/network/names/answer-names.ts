/** Answers to questions for containers. All other questions go to servers. */
import type { Buffer } from 'node:buffer'
import { addressText, parseAddress } from '../links/address.ts'
import {
  answerWith,
  emptyAnswer,
  type Query,
  RCODE,
  RECORD_TYPE,
  type ResourceRecord,
} from '../resolver/dns-message.ts'
import type { NamedAddresses, NameTable } from './name-table.ts'

/** A network as one of its containers finds others in it. */
export interface NameView {
  /** What the network is called, after a dot, in whole names. */
  readonly network: string
  readonly table: NameTable
  /** Other names that only this container has for others, in lower case. */
  readonly links: ReadonlyMap<string, string>
}

/** Seconds, as docker's. */
const TTL = 600

/**
 * The answer to a question for a container in one of these networks; `undefined` when it is for none. What a
 * container has no record of is said to be so, and nobody else is asked.
 */
export function answerNames(query: Query, views: readonly NameView[]): Buffer | undefined {
  const { name, type } = query.question
  if (type === RECORD_TYPE.PTR) return answerPointer(query, views)
  const found = findName(name, views)
  if (found === undefined) return undefined
  const addresses = addressesOf(found, type)
  if (addresses.length === 0) return emptyAnswer(query, RCODE.NOERROR)
  return answerWith(
    query,
    addresses.map((address): ResourceRecord => {
      return { type, ttl: TTL, data: parseAddress(address) ?? new Uint8Array() }
    }),
  )
}

function addressesOf({ version4, version6 }: NamedAddresses, type: number): readonly string[] {
  if (type === RECORD_TYPE.A) return version4
  return type === RECORD_TYPE.AAAA ? version6 : []
}

/** Both names of containers and names of networks may have dots. */
function findName(name: string, views: readonly NameView[]): NamedAddresses | undefined {
  for (const { table, links } of views) {
    const found = table.find(links.get(name) ?? name)
    if (found !== undefined) return found
  }
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const network = name.slice(dot + 1)
    const view = views.find((each) => each.network.toLowerCase() === network)
    const found = view?.table.find(name.slice(0, dot))
    if (found !== undefined) return found
  }
  return undefined
}

function answerPointer(query: Query, views: readonly NameView[]): Buffer | undefined {
  const address = pointedAddress(query.question.name)
  if (address === undefined) return undefined
  for (const { network, table } of views) {
    const name = table.nameOf(address)
    if (name === undefined) continue
    return answerWith(query, [
      { type: RECORD_TYPE.PTR, ttl: TTL, data: encodeName(`${name}.${network}`) },
    ])
  }
  return undefined
}

/** The address that a name stands for whose name is asked for. Spec: RFC 1035 section 3.5, RFC 3596 section 2.5 */
function pointedAddress(name: string): string | undefined {
  const [, version4] = /^((?:\d{1,3}\.){4})in-addr\.arpa$/.exec(name) ?? []
  const [, version6] = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name) ?? []
  const text =
    version4?.split('.').slice(0, -1).reverse().join('.') ??
    version6
      ?.replaceAll('.', '')
      .split('')
      .reverse()
      .join('')
      .replace(/(.{4})(?=.)/g, '$1:')
  const address = parseAddress(text ?? '')
  return address && addressText(address)
}

function encodeName(name: string): Uint8Array {
  const labels = name.split('.').map((label) => new TextEncoder().encode(label).subarray(0, 63))
  return Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0])
}
