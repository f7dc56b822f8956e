import { SourceError, type Word } from '#parser'

interface WrittenPort {
  readonly text: string
  readonly word: Word
}

const PROTOCOLS = new Set(['tcp', 'udp', 'sctp'])

/**
 * EXPOSE words as config keys `port/proto`, in the order of the words sorted as text. Host addresses
 * and host ports are allowed and mean nothing.
 * @throws {SourceError} DOCKERFILE_INVALID
 */
export function exposedPorts(written: readonly WrittenPort[]): readonly string[] {
  const sorted = written.toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
  return [...new Set(sorted.flatMap(expandPort))]
}

function expandPort({ text, word }: WrittenPort): readonly string[] {
  const [spec = '', protocol = 'tcp', ...extra] = text.split('/')
  const proto = protocol.toLowerCase()
  if (extra.length > 0 || !PROTOCOLS.has(proto)) {
    throw invalid(`invalid port: ${JSON.stringify(text)}: invalid proto: ${protocol}`, word)
  }
  const container = spec.slice(spec.lastIndexOf(':') + 1)
  const [first = '', last = first, ...more] = container.split('-')
  const [start, end] = [Number(first), Number(last)]
  const isRange = /^\d{1,5}$/.test(first) && /^\d{1,5}$/.test(last) && more.length === 0
  if (!isRange || end < start || end > 65535) {
    throw invalid(`invalid containerPort: ${container}`, word)
  }
  return Array.from({ length: end - start + 1 }, (_, offset) => `${start + offset}/${proto}`)
}

function invalid(message: string, word: Word): SourceError {
  return new SourceError(message, {
    code: 'DOCKERFILE_INVALID',
    ranges: [word.range],
    hint: 'write EXPOSE port[-port][/tcp|udp|sctp]',
  })
}
