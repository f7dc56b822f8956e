import { signalNumber } from '#core'
import { SourceError, type Word } from '#parser'

/**
 * Gives back `signal` if it is the name or number of a signal on Linux.
 * @throws {SourceError} DOCKERFILE_INVALID for anything else
 */
export function checkSignal(signal: string, word: Word): string {
  if (signalNumber(signal) !== undefined) return signal
  throw new SourceError(`invalid signal: ${signal}`, {
    code: 'DOCKERFILE_INVALID',
    ranges: [word.range],
    hint: 'write a name such as SIGTERM or RTMIN+3, or a number from 1 to 64',
  })
}
