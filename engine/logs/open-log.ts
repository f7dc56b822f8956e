import { join } from 'node:path'
import { TsbuildError } from '#core'
import { type ContainerLog, FileLog } from './container-log.ts'
import { jsonFormat } from './format/json-format.ts'
import { LOCAL_FORMAT } from './format/local-format.ts'
import { attributesOf } from './options/attributes.ts'
import type { LogDriver, LogOptions } from './options/check-options.ts'
import { limitsOf, maxBufferedOf } from './options/log-settings.ts'
import type { LoggedContainer } from './options/logged-container.ts'

/** Of whom a log is, and how it is kept. */
export interface OpenLogOptions {
  /** What `checkLogOptions` gave for these options. */
  readonly driver: LogDriver
  readonly options: LogOptions
  /** The container's own; it exists. */
  readonly directory: string
  readonly container: LoggedContainer
  /** Called once, when the log cannot be written: the container goes on without it. */
  readonly onFailure: (failure: unknown) => void
}

/**
 * The log of a container, with what was written earlier. The disk is not touched before something is written or read.
 * @throws {TsbuildError} USAGE for values of options that mean nothing, in docker's words
 */
export function openLog({
  driver,
  options,
  directory,
  container,
  onFailure,
}: OpenLogOptions): ContainerLog {
  if (driver === 'none') return NO_LOG
  const attributes = attributesOf(options, container)
  const isPublic = driver === 'json-file'
  return new FileLog({
    path: join(directory, isPublic ? publicName(container) : 'container.log'),
    format: isPublic ? jsonFormat(attributes) : LOCAL_FORMAT,
    limits: limitsOf(driver, options),
    maxBuffered: maxBufferedOf(options),
    onFailure,
  })
}

/** The file of a log for those who read it themselves; empty when there is none. */
export function logPath({
  driver,
  directory,
  container,
}: Pick<OpenLogOptions, 'driver' | 'directory' | 'container'>): string {
  return driver === 'json-file' ? join(directory, publicName(container)) : ''
}

function publicName({ id }: LoggedContainer): string {
  return `${id}-json.log`
}

/** What a log says with each of its lines (`docker logs --details`). @throws as `openLog` */
export function logAttributes({
  driver,
  options,
  container,
}: Pick<OpenLogOptions, 'driver' | 'options' | 'container'>): Readonly<Record<string, string>> {
  return driver === 'none' ? {} : attributesOf(options, container)
}

const NO_LOG: ContainerLog = {
  write: () => undefined,
  begin: () => undefined,
  end: async () => undefined,
  read: () => refuse(),
  follow: () => refuse(),
  [Symbol.asyncDispose]: async () => undefined,
}

function refuse(): never {
  throw new TsbuildError('configured logging driver does not support reading', {
    code: 'UNSUPPORTED',
  })
}
