import { readFileSync, writeFileSync } from 'node:fs'
import { errnoOf, HOST_GATEWAY, TsbuildError } from '#core'
import { LOOPBACK } from '../root/etc-files.ts'

const HOSTS = '/etc/hosts'
const BEGIN = '# lines of a step, by tsbuild'
const END = '# end of the lines of a step'

/**
 * Adds names to the container's own /etc/hosts, which is often mounted and so cannot be replaced.
 * @returns what takes them back
 * @throws {TsbuildError} SANDBOX_UNAVAILABLE where the file cannot be written
 */
export function addHostLines(hosts: readonly (readonly [string, string])[]): () => void {
  if (hosts.length === 0) return () => undefined
  try {
    const own = withoutLines(readFileSync(HOSTS, 'utf8'))
    const lines = hosts.map(([host, address]) => {
      return `${address === HOST_GATEWAY ? LOOPBACK : address}\t${host}`
    })
    const before = own === '' || own.endsWith('\n') ? own : `${own}\n`
    writeFileSync(HOSTS, `${before}${[BEGIN, ...lines, END].join('\n')}\n`)
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause
    throw new TsbuildError(`add hosts for a step: ${HOSTS} of the container cannot be written`, {
      code: 'SANDBOX_UNAVAILABLE',
      cause,
      hint: 'give the hosts to the container itself: docker run --add-host, hostAliases of a pod',
    })
  }
  return removeHostLines
}

/** Takes the lines of a step back, also those of a build that was killed. */
export function removeHostLines(): void {
  try {
    const text = readFileSync(HOSTS, 'utf8')
    const own = withoutLines(text)
    if (own !== text) writeFileSync(HOSTS, own)
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
  }
}

function withoutLines(text: string): string {
  const begin = text.indexOf(`${BEGIN}\n`)
  const end = text.indexOf(`${END}\n`, begin)
  return begin < 0 || end < 0 ? text : text.slice(0, begin) + text.slice(end + END.length + 1)
}
