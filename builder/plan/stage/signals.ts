import { constants } from 'node:os'
import { SourceError, type Word } from '#parser'

/**
 * Gives back `signal` if it is the name or number of a signal on Linux.
 * @throws {SourceError} DOCKERFILE_INVALID for anything else
 */
export function checkSignal(signal: string, word: Word): string {
  if (isSignal(signal)) return signal
  throw new SourceError(`invalid signal: ${signal}`, {
    code: 'DOCKERFILE_INVALID',
    ranges: [word.range],
    hint: 'write a name such as SIGTERM or RTMIN+3, or a number from 1 to 64',
  })
}

function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= 64
  const name = text.toUpperCase().replace(/^SIG/, '')
  if (`SIG${name}` in constants.signals) return true
  const realTime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name)
  if (realTime === null) return false
  const [, base, sign, offset = '0'] = realTime
  if (sign !== undefined && sign !== (base === 'MIN' ? '+' : '-')) return false
  return Number(offset) <= 30
}
