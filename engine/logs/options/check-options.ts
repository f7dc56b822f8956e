import { parseByteSize } from '#core'
import { optionError } from './option-error.ts'

/** How the output of a container is kept. */
export type LogDriver = 'json-file' | 'local' | 'none'

/** By name. Spec: Docker Engine API, HostConfig.LogConfig */
export type LogOptions = Readonly<Record<string, string>>

const COMMON = ['mode', 'max-buffer-size']
const OF_FILES = [
  'max-size',
  'max-file',
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
]

/**
 * What docker refuses when a container is made: drivers and options that it does not know, and how the output waits
 * for the disk. What sizes and numbers say is looked at when it is started.
 * @param name empty: json-file
 * @throws {TsbuildError} USAGE in docker's words
 */
export function checkLogOptions(name: string, options: LogOptions): LogDriver {
  const driver = driverOf(name)
  // Nothing is looked at where nothing is kept.
  if (driver === 'none') return driver
  checkMode(options)
  const unknown = Object.keys(options).find((one) => ![...COMMON, ...OF_FILES].includes(one))
  if (unknown === undefined) return driver
  const place = driver === 'local' ? 'log driver local' : `${driver} log driver`
  throw optionError(`unknown log opt '${unknown}' for ${place}`)
}

function driverOf(name: string): LogDriver {
  switch (name) {
    case '':
      return 'json-file'
    case 'json-file':
    case 'local':
    case 'none':
      return name
    default:
      throw optionError(`error looking up logging plugin ${name}: plugin "${name}" not found`)
  }
}

function checkMode({ mode = '', 'max-buffer-size': size }: LogOptions): void {
  if (!['', 'blocking', 'non-blocking'].includes(mode)) {
    throw optionError(`logger: logging mode not supported: ${mode}`)
  }
  if (size === undefined) return
  if (mode !== 'non-blocking') {
    throw optionError("logger: max-buffer-size option is only supported with 'mode=non-blocking'")
  }
  if (parseByteSize(size) === undefined) {
    throw optionError(`error parsing option max-buffer-size: invalid size: '${size}'`)
  }
}
