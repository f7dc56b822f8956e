import type { LogQuery } from '#engine/api'
import { type Container, commandOf } from '#engine/containers'
import {
  type ContainerLog,
  checkLogOptions,
  type LogLine,
  type LogStream,
  logAttributes,
  logPath,
  type OpenLogOptions,
  openLog,
} from '#engine/logs'
import type { ContainerRecord } from '#engine/model'

/** Where logs are, and who is told when they fail. */
export interface ContainerLogsOptions {
  readonly folderOf: (id: string) => string
  /** Makes the folder of a container, if it is not there. */
  readonly makeFolder: (id: string) => string
  readonly onWarning: (message: string) => void
}

/** The logs of an engine's containers: one for each, until the container is removed. */
export class ContainerLogs {
  readonly #options: ContainerLogsOptions
  readonly #opened = new Map<string, ContainerLog>()

  constructor(options: ContainerLogsOptions) {
    this.#options = options
  }

  /** @throws {TsbuildError} USAGE for a driver or options that there are not */
  check(record: ContainerRecord): void {
    logOptions(record)
  }

  /** @throws {TsbuildError} USAGE for options that mean nothing */
  readonly open = (record: ContainerRecord): ContainerLog => {
    const known = this.#opened.get(record.id)
    if (known !== undefined) return known
    const { onWarning, makeFolder } = this.#options
    const log = openLog({
      ...logOptions(record),
      directory: makeFolder(record.id),
      onFailure: (failure) =>
        onWarning(`the output of container ${record.name} cannot be kept: ${String(failure)}`),
    })
    this.#opened.set(record.id, log)
    return log
  }

  /** The file of a log for those who read it themselves; empty when there is none. */
  pathOf(record: ContainerRecord): string {
    return logPath({ ...logOptions(record), directory: this.#options.folderOf(record.id) })
  }

  /** Lines of a log, and those to come where they are asked for. @throws {TsbuildError} UNSUPPORTED */
  readonly read = (
    { record, isRunning }: Container,
    { stdout, stderr, since, until, tail, follow, signal }: LogQuery,
  ): AsyncIterable<LogLine> => {
    const streams = new Set<LogStream>()
    if (stdout) streams.add('stdout')
    if (stderr) streams.add('stderr')
    const wanted = { streams, since, until, ...(tail === 'all' ? {} : { tail }) }
    const log = this.open(record)
    return follow && isRunning ? log.follow({ ...wanted, signal }) : log.read(wanted)
  }

  /** What a log says with each line. */
  readonly attributes = ({ record }: Container): Readonly<Record<string, string>> =>
    logAttributes(logOptions(record))

  /** To be called before the files of a container are removed. */
  async forget(id: string): Promise<void> {
    await this.#opened.get(id)?.[Symbol.asyncDispose]()
    this.#opened.delete(id)
  }
}

/** How the output of a container is kept. @throws {TsbuildError} USAGE */
function logOptions({
  id,
  name,
  config,
  hostConfig,
  image,
}: ContainerRecord): Pick<OpenLogOptions, 'driver' | 'options' | 'container'> {
  const { Type = '', Config: options = {} } = hostConfig.LogConfig ?? {}
  return {
    driver: checkLogOptions(Type, options),
    options,
    container: {
      ...{ id, name, imageId: image.id, imageName: image.name },
      command: commandOf(config),
      env: config.Env ?? [],
      labels: config.Labels ?? {},
    },
  }
}
