import { type Ulimit, usageError } from '#core'

/** Reads `HOST:IP`, `HOST=IP`, with an IPv6 address in brackets or not. @throws {TsbuildError} USAGE */
export function parseHost(value: string): readonly [string, string] {
  const [, host, address] = /^([^:=]+)[:=]\[?([^\]]+)\]?$/.exec(value) ?? []
  if (host !== undefined && address !== undefined) return [host, address]
  throw usageError(`invalid --add-host "${value}"`, 'write --add-host HOST:IP')
}

/** Reads `NAME=SOFT[:HARD]`; -1 means unlimited. @throws {TsbuildError} USAGE */
export function parseUlimit(value: string): Ulimit {
  const [, name, soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(value) ?? []
  if (name === undefined || soft === undefined) {
    throw usageError(`invalid ulimit argument: ${value}`, 'write --ulimit NAME=SOFT[:HARD]')
  }
  return { name: name as Ulimit['name'], soft: Number(soft), hard: Number(hard ?? soft) }
}
