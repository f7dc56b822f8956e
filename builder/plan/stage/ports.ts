import { isIP } from 'node:net'
import { SourceError, type Word } from '#parser'

interface WrittenPort {
  readonly text: string
  readonly word: Word
}

const PROTOCOLS = new Set(['tcp', 'udp', 'sctp'])

/**
 * The words of EXPOSE as config keys `port/proto`, in the order of the words sorted as written,
 * before expansion; a repeated port is repeated. Host addresses and host ports are checked and
 * ignored.
 * @throws {SourceError} DOCKERFILE_INVALID
 */
export function exposedPorts(written: readonly WrittenPort[]): readonly string[] {
  const sorted = written.toSorted((a, b) => Buffer.compare(bytesOf(a), bytesOf(b)))
  return sorted.flatMap(expandPort)
}

function bytesOf({ word }: WrittenPort): Buffer {
  return Buffer.from(word.raw)
}

function expandPort({ text, word }: WrittenPort): readonly string[] {
  const parts = text.split(':')
  const [port = '', protocol = ''] = cut(parts.pop() ?? '', '/')
  const host = parts.pop() ?? ''
  const address = parts.join(':')
  const proto = protocol.toLowerCase() || 'tcp'
  const plain = address.replace(/^\[(.*)\]$/, '$1')
  if (!PROTOCOLS.has(proto)) {
    throw portError(`invalid port: ${JSON.stringify(text)}: invalid proto: ${protocol}`, word)
  }
  if (plain !== '' && isIP(plain) === 0) throw portError(`invalid IP address: ${address}`, word)
  if (port === '') throw portError(`no port specified: ${text}<empty>`, word)
  const ports = parseRange(port)
  if (ports === undefined) throw portError(`invalid containerPort: ${port}`, word)
  const hosts = host === '' ? ports : parseRange(host)
  if (hosts === undefined) throw portError(`invalid hostPort: ${host}`, word)
  // Any one of several host ports may stand for a single port of the container.
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw portError(
      `invalid ranges specified for container and host Ports: ${port} and ${host}`,
      word,
    )
  }
  return Array.from({ length: ports.length }, (_, offset) => `${ports.start + offset}/${proto}`)
}

function cut(text: string, separator: string): readonly [string, string | undefined] {
  const place = text.indexOf(separator)
  return place < 0 ? [text, undefined] : [text.slice(0, place), text.slice(place + 1)]
}

/** `8000` or `8000-8010`, `undefined` for anything else. */
function parseRange(text: string): { readonly start: number; readonly length: number } | undefined {
  const [first, last = first] = cut(text, '-')
  if (!/^\d+$/.test(first) || !/^\d+$/.test(last)) return undefined
  const [start, end] = [Number(first), Number(last)]
  return end < start || end > 65_535 ? undefined : { start, length: end - start + 1 }
}

function portError(message: string, word: Word): SourceError {
  return new SourceError(message, {
    code: 'DOCKERFILE_INVALID',
    ranges: [word.range],
    hint: 'write EXPOSE port[-port][/tcp|udp|sctp]',
  })
}
