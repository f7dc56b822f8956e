import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerServices } from '#builder'
import type { EngineServices } from '#engine/api'
import { type ContainerDeps, commandOf, containerSpec, type FindHolder } from '#engine/containers'
import {
  type ContainerLog,
  checkLogOptions,
  type LogStream,
  type OpenLogOptions,
  openLog,
} from '#engine/logs'
import type { ContainerRecord } from '#engine/model'

/** What containers are run with besides the builder's services. */
export interface RunnerOptions {
  readonly findHolder: FindHolder
  readonly onWarning: (message: string) => void
}

/** Runs the programs of containers on files that stay until the container is removed, and keeps their output. */
export class ContainerRunner {
  readonly #services: ContainerServices
  readonly #options: RunnerOptions
  readonly #logs = new Map<string, ContainerLog>()

  constructor(services: ContainerServices, options: RunnerOptions) {
    this.#services = services
    this.#options = options
  }

  /** The folder with what a container has changed, and its log. */
  folder(id: string): string {
    return join(this.#services.store.containersFolder, id)
  }

  readonly run: ContainerDeps['run'] = async (record, serve) => {
    const { image, config, hostConfig, id } = record
    const [sandbox, snapshots] = await Promise.all([
      this.#services.sandbox(),
      this.#services.snapshots(),
    ])
    const lower = await this.#services.lowers(image.manifest, image.platform)
    this.#makeFolder(id)
    return await snapshots.use(async (snapshotter) => {
      await using snapshot = await snapshotter.reopen(join(this.folder(id), 'files'), lower)
      const spec = containerSpec(record, {
        mounts: [snapshot.root],
        network: networkOf(record),
        findHolder: this.#options.findHolder,
      })
      const [rows = 0, columns = 0] = hostConfig.ConsoleSize ?? []
      await using process = await sandbox.start(spec, {
        stdin: config.OpenStdin === true ? 'pipe' : 'empty',
        ...(config.Tty === true ? { terminal: { rows, columns } } : {}),
      })
      return await serve(process)
    })
  }

  /** The log of a container; the same one until the container is removed. */
  readonly log = (record: ContainerRecord): ContainerLog => {
    const known = this.#logs.get(record.id)
    if (known !== undefined) return known
    this.#makeFolder(record.id)
    const log = openLog({
      ...logOptions(record),
      directory: this.folder(record.id),
      onFailure: (failure) =>
        this.#options.onWarning(
          `the output of container ${record.name} cannot be kept: ${String(failure)}`,
        ),
    })
    this.#logs.set(record.id, log)
    return log
  }

  /** Lines of a log, and those to come where they are asked for. */
  readonly readLog: EngineServices['readLog'] = ({ record, isRunning }, query) => {
    const { stdout, stderr, since, until, tail, follow, signal } = query
    const streams = new Set<LogStream>([
      ...(stdout ? ['stdout' as const] : []),
      ...(stderr ? ['stderr' as const] : []),
    ])
    const wanted = { streams, since, until, ...(tail === 'all' ? {} : { tail }) }
    const log = this.log(record)
    return follow && isRunning ? log.follow({ ...wanted, signal }) : log.read(wanted)
  }

  readonly discard: ContainerDeps['discard'] = async ({ id }) => {
    await this.#logs.get(id)?.[Symbol.asyncDispose]()
    this.#logs.delete(id)
    rmSync(this.folder(id), { recursive: true, force: true })
  }

  /** Removes the folders of containers that are gone. */
  removeStrangers(known: ReadonlySet<string>): void {
    for (const id of namesIn(this.#services.store.containersFolder)) {
      if (!known.has(id)) rmSync(this.folder(id), { recursive: true, force: true })
    }
  }

  #makeFolder(id: string): void {
    mkdirSync(this.folder(id), { recursive: true, mode: 0o700 })
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function networkOf({ hostConfig }: ContainerRecord): 'default' | 'none' | 'host' {
  const { NetworkMode } = hostConfig
  return NetworkMode === 'none' || NetworkMode === 'host' ? NetworkMode : 'default'
}

/** How the output of a container is kept. @throws {TsbuildError} USAGE */
export function logOptions({
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
