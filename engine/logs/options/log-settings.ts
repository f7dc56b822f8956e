import { parseBoolean, parseByteSize } from '#core'
import type { LogLimits } from '../files/log-files.ts'
import type { LogDriver, LogOptions } from './check-options.ts'
import { startError } from './option-error.ts'

/** Bytes that wait for the disk in the mode `non-blocking`. */
const DEFAULT_BUFFER = 1_000_000
const NO_LIMITS: LogLimits = { maxSize: Infinity, maxFiles: 1, isCompressed: false }
const LIMITS_OF_LOCAL: LogLimits = { maxSize: 20 * 1024 * 1024, maxFiles: 5, isCompressed: true }

/** How much is kept. @throws {TsbuildError} USAGE in docker's words */
export function limitsOf(driver: LogDriver, options: LogOptions): LogLimits {
  const defaults = driver === 'local' ? LIMITS_OF_LOCAL : NO_LIMITS
  const limits: LogLimits = {
    maxSize: maxSizeOf(driver, options['max-size']) ?? defaults.maxSize,
    maxFiles: maxFilesOf(driver, options['max-file']) ?? defaults.maxFiles,
    isCompressed: isCompressed(driver, options.compress) ?? defaults.isCompressed,
  }
  if (limits.isCompressed && (limits.maxFiles < 2 || limits.maxSize === Infinity)) {
    throw startError(
      driver === 'local'
        ? 'compression cannot be enabled when max file count is 1'
        : 'compress cannot be true when max-file is less than 2 or max-size is not set',
    )
  }
  if (limits.maxFiles < 1) throw startError('max-file cannot be less than 1')
  return limits
}

/** Bytes of output beyond which lines are lost; `undefined`: the container waits. */
export function maxBufferedOf(options: LogOptions): number | undefined {
  if (options.mode !== 'non-blocking') return undefined
  return parseByteSize(options['max-buffer-size'] ?? '') ?? DEFAULT_BUFFER
}

const UNITS = 'kmgtp'
const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i

/** Unlike those of memory, docker's sizes of logs are in powers of 1000. Spec: go-units FromHumanSize */
function maxSizeOf(driver: LogDriver, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const context = driver === 'local' ? `invalid value for max-size: ${text}: ` : ''
  const [, number, unit = ''] = SIZE.exec(text) ?? []
  if (number === undefined) throw startError(`${context}invalid size: '${text}'`)
  const power = unit === '' ? 0 : UNITS.indexOf(unit.toLowerCase()) + 1
  const size = Math.floor(Number(number) * 1000 ** power)
  if (size <= 0) throw startError('max-size must be a positive number')
  return size
}

function maxFilesOf(driver: LogDriver, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    const context = driver === 'local' ? `invalid value for max-file: ${text}: ` : ''
    throw startError(`${context}strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  const count = Number(text)
  if (driver === 'json-file' && count < 1) throw startError('max-file cannot be less than 1')
  return count
}

function isCompressed(driver: LogDriver, text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  const value = parseBoolean(text)
  if (value !== undefined) return value
  const context = driver === 'local' ? 'invalid boolean value for compress: ' : ''
  throw startError(`${context}strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}
