import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerServices } from '#builder'
import type { ProcessSpec } from '#builder/sandbox'
import { OwnTurns } from '#builder/threads'
import { type Mount, Resources } from '#core'
import { removeTree } from '#disk'
import { type Container, type ContainerDeps, containerSpec } from '#engine/containers'
import { type ContainerRecord, hostnameOf } from '#engine/model'
import type { Networks } from '#engine/networks'
import { ContainerLogs } from './container-logs.ts'
import type { ContainerVolumes } from './container-volumes.ts'
import { type EtcPaths, etcMounts, etcPaths, updateNames, writeEtcFiles } from './etc-files.ts'

/** What containers are run with besides the builder's services. */
export interface RunnerOptions {
  readonly networks: Networks
  readonly volumes: Pick<ContainerVolumes, 'open' | 'removeAnonymous'>
  /** @throws {TsbuildError} NOT_FOUND, USAGE */
  readonly find: (container: string) => Container
  /** The right to mount the files of a container so that they can be written to. */
  readonly hold: (id: string) => Promise<Disposable>
  /** The layers below what a container writes, topmost first. */
  readonly lowerOf: (record: ContainerRecord) => Promise<readonly string[]>
  readonly onWarning: (message: string) => void
}

/** The network that a container is in when it is started. */
interface EnteredNetwork {
  readonly network: ProcessSpec['network']
  readonly etc: EtcPaths
  /** The container with the name of the machine that its network gives it. */
  readonly named: ContainerRecord
}

/** Runs the programs of containers on files that stay until the container is removed. */
export class ContainerRunner {
  readonly logs: ContainerLogs
  readonly #services: ContainerServices
  readonly #options: RunnerOptions
  readonly #turns = new OwnTurns()

  constructor(services: ContainerServices, options: RunnerOptions) {
    this.#services = services
    this.#options = options
    const { onWarning } = options
    this.logs = new ContainerLogs({
      onWarning,
      folderOf: (id) => this.folder(id),
      makeFolder: (id) => this.#madeFolder(id),
    })
  }

  /** The folder with what a container has changed, and its log. */
  folder(id: string): string {
    return join(this.#services.store.containersFolder, id)
  }

  readonly run: ContainerDeps['run'] = async (record, serve) => {
    const { config, hostConfig, id } = record
    await using held = new Resources()
    const [sandbox, snapshots] = await Promise.all([
      this.#services.sandbox(),
      this.#services.snapshots(),
    ])
    const folder = this.#madeFolder(id)
    const lower = await this.#options.lowerOf(record)
    held.use(await this.#options.hold(id))
    // Many have waited for the same: the sandbox, or the files of their image.
    await this.#turns.take()
    const { network, etc, named } = await this.#enterNetwork(record, held)
    const opened = held.use(await this.#options.volumes.open(record))
    return await snapshots.use(async (snapshotter) => {
      await using snapshot = await snapshotter.reopen(join(folder, 'files'), lower)
      const own = sorted([...etcMounts(etc), ...opened.mounts])
      const findHolder = (name: string) => this.#options.find(name).process()
      const spec = containerSpec(named, {
        mounts: [snapshot.root, ...own],
        ...{ network, findHolder, variables: this.variables(record) },
      })
      const [rows = 0, columns = 0] = hostConfig.ConsoleSize ?? []
      await using process = await sandbox.start(spec, {
        stdin: config.OpenStdin === true ? 'pipe' : 'empty',
        ...(config.Tty === true ? { terminal: { rows, columns } } : {}),
      })
      return await serve(process)
    })
  }

  /** @param held leaves it */
  async #enterNetwork(record: ContainerRecord, held: Resources): Promise<EnteredNetwork> {
    const { networks, find } = this.#options
    const { NetworkMode = '' } = record.hostConfig
    const other = /^container:(.+)$/.exec(NetworkMode)?.[1]
    if (other !== undefined) {
      const container = find(other)
      const { config } = container.record
      const Hostname = hostnameOf(container.id, config)
      return {
        network: container.process(),
        etc: etcPaths(this.folder(container.id)),
        named: { ...record, config: { ...record.config, Hostname } },
      }
    }
    const entered = await networks.enter(record)
    held.use({ [Symbol.asyncDispose]: () => networks.leave(record) })
    const folder = this.folder(record.id)
    writeEtcFiles(folder, record, entered)
    return { network: entered.made, etc: etcPaths(folder), named: record }
  }

  /** What the network of a container that runs adds to its environment. */
  readonly variables: ContainerDeps['variables'] = (record) =>
    this.#options.networks.running(record)?.variables() ?? []

  /** Writes what others are called that a running container is connected with. */
  readonly updateNames = (record: ContainerRecord): void => {
    const entered = this.#options.networks.running(record)
    if (entered !== undefined) updateNames(this.folder(record.id), entered)
  }

  readonly discard: ContainerDeps['discard'] = async (record, { volumes }) => {
    const { id } = record
    await this.logs.forget(id)
    await this.#removeFolder(id)
    if (volumes === 'anonymous') await this.#options.volumes.removeAnonymous(record)
  }

  /** Ids of containers that are gone, and have folders. */
  strangers(known: ReadonlySet<string>): readonly string[] {
    return namesIn(this.#services.store.containersFolder).filter((id) => !known.has(id))
  }

  /** Removes the folders of containers that are gone. */
  async removeFolders(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#removeFolder(id)
  }

  async #removeFolder(id: string): Promise<void> {
    const folder = this.folder(id)
    if (await removeTree(folder)) return
    this.#options.onWarning(`${folder} cannot be removed whole; the next start tries it again`)
  }

  #madeFolder(id: string): string {
    const folder = this.folder(id)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }
}

/** Parents before what is mounted in them. */
function sorted(mounts: readonly Mount[]): readonly Mount[] {
  return mounts.toSorted((one, other) => (one.target < other.target ? -1 : 1))
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
