import {
  type ContainerServices,
  type ContainerServicesOptions,
  openContainerServices,
} from '#builder'
import { ContainerNetworks } from '#builder/network'
import { type JsonObject, TsbuildError } from '#core'
import type { BuildkitDoor, EngineServices } from '#engine/api'
import { type Container, Containers, inspectContainer } from '#engine/containers'
import { Images } from '#engine/images'
import type { ContainerRecord } from '#engine/model'
import { Networks } from '#engine/networks'
import { Events, engineId, openDocuments } from '#engine/state'
import { infoDocument, type RegistrySettings } from './info.ts'
import { LimitWarnings } from './limit-warnings.ts'
import { ContainerRunner } from './run/container-runner.ts'
import { ContainerStorage } from './run/container-storage.ts'
import { ContainerVolumes } from './run/container-volumes.ts'
import { etcPaths } from './run/etc-files.ts'

/** How an engine is opened. */
export interface EngineOptions extends Pick<ContainerServicesOptions, 'root'> {
  readonly version: string
  readonly network?: RegistrySettings
  /** Opens what serves BuildKit's clients. */
  readonly buildkit: () => Promise<BuildkitDoor>
  /** Gets what the user should know. */
  readonly onWarning: (message: string) => void
}

/** Containers on a store, and what serves them. One engine has a store at a time. */
export interface Engine extends AsyncDisposable {
  readonly services: EngineServices
  /**
   * Brings volumes and containers into the state that they are in without the processes of an engine before.
   * @returns starts the containers whose policies say so, and removes what is left of others
   */
  restore(): Promise<() => Promise<void>>
  /** Whether a container runs, or is to be started again. */
  isUsed(): boolean
  /** Stops all containers. */
  shutDown(): Promise<void>
}

/** @throws {TsbuildError} CONFLICT when another engine has the store, and as `openStore` does */
export async function openEngine({
  version,
  network = {},
  onWarning,
  buildkit,
  ...place
}: EngineOptions): Promise<Engine> {
  const builder = await openContainerServices({
    ...{ ...place, ...network },
    onEvent: (event) => {
      if (event.type === 'warning') onWarning(event.message)
    },
  })
  const { store } = builder
  const lock = store.lockEngine()
  if (lock === undefined) {
    await builder[Symbol.asyncDispose]()
    throw new TsbuildError(`another engine has the store ${store.root}`, {
      code: 'CONFLICT',
      hint: 'use it with --host, stop it, or name another store with --root',
    })
  }
  const events = new Events()
  const find = (name: string): Container => containers.find(name)
  const networks = new Networks({
    documents: openDocuments({ database: store.engine, kind: 'network' }),
    emit: events.emit,
    open: () => ContainerNetworks.open(),
  })
  const volumes: ContainerVolumes = new ContainerVolumes({
    services: builder,
    documents: openDocuments({ database: store.engine, kind: 'volume' }),
    images: { resolve: (name, platform) => images.resolve(name, platform) },
    emit: events.emit,
    records: () => containers.all().map(({ record }) => record),
    mountsOf: (name) => find(name).record.mounts,
  })
  const storage: ContainerStorage = new ContainerStorage({
    ...{ services: builder, emit: events.emit },
    folder: (id) => runner.folder(id),
    openMounts: (record) => volumes.open(record),
  })
  const runner: ContainerRunner = new ContainerRunner(builder, {
    ...{ networks, volumes, find, onWarning },
    hold: (id) => storage.hold(id),
    lowerOf: (record) => storage.lowerOf(record),
  })
  const limits = new LimitWarnings()
  const containers: Containers = new Containers({
    documents: openDocuments<ContainerRecord>({
      database: store.engine,
      kind: 'container',
      imageOf: ({ image }) => image.manifest,
    }),
    ...{ emit: events.emit, onWarning },
    keepLimits: limits.keep,
    check: (record) => {
      runner.logs.check(record)
      return networks.check(record)
    },
    run: runner.run,
    variables: runner.variables,
    discard: runner.discard,
    openLog: runner.logs.open,
  })
  const images: Images = new Images({
    ...{ root: store.root, events, network },
    users: () => [
      ...containers
        .all()
        .map(({ id, record, isRunning }) => ({ id, image: record.image.id, isRunning })),
      ...containers.drafts().map(({ id, image }) => ({ id, image: image.id, isRunning: true })),
    ],
  })
  return {
    services: servicesOf({
      ...{ id: engineId(openDocuments({ database: store.engine, kind: 'engine' })) },
      ...{ version, builder, events, containers, images, networks, runner, storage, volumes },
      ...{ limits, buildkit },
    }),
    restore: async () => {
      await volumes.volumes.restore()
      const all = containers.all()
      const resumed = all.map((one) => one.recover())
      const strangers = runner.strangers(new Set(all.map(({ id }) => id)))
      return async () => {
        await Promise.all([runner.removeFolders(strangers), ...resumed.map((resume) => resume())])
      }
    },
    isUsed: () => containers.all().some(({ isRunning }) => isRunning),
    shutDown: async () => {
      await Promise.allSettled(containers.all().map((one) => one.shutDown()))
    },
    [Symbol.asyncDispose]: async () => {
      await networks[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
      await volumes[Symbol.asyncDispose]()
      lock[Symbol.dispose]()
      await builder[Symbol.asyncDispose]()
    },
  }
}

interface ServiceParts {
  readonly id: string
  readonly version: string
  readonly builder: ContainerServices
  readonly events: Events
  readonly containers: Containers
  readonly images: Images
  readonly networks: Networks
  readonly runner: ContainerRunner
  readonly storage: ContainerStorage
  readonly volumes: ContainerVolumes
  readonly limits: LimitWarnings
  readonly buildkit: EngineOptions['buildkit']
}

function servicesOf({
  id,
  version,
  builder,
  events,
  containers,
  images,
  networks,
  runner,
  storage,
  volumes,
  limits,
  buildkit,
}: ServiceParts): EngineServices {
  return {
    ...{ containers, events, images, networks, version, buildkit },
    files: storage,
    volumes: volumes.volumes,
    mountPoints: volumes.make,
    readLog: runner.logs.read,
    logAttributes: runner.logs.attributes,
    updateNames: runner.updateNames,
    inspect: (container) => inspect(container, { containers, networks, runner }),
    info: async () => ({
      ...infoDocument({
        ...{ id, version, root: builder.store.root },
        network: images.options.network ?? {},
      }),
      ...(await limits.info()),
    }),
  }
}

function inspect(
  container: Container,
  { containers, networks, runner }: Pick<ServiceParts, 'containers' | 'networks' | 'runner'>,
): JsonObject {
  const { record, health } = container
  const paths = etcPaths(runner.folder(record.id))
  return inspectContainer(record, {
    network: networks.settings(record),
    execs: containers.execsOf(container).map(({ id }) => id),
    health: health?.document(),
    paths: { ...paths, log: runner.logs.pathOf(record) },
  })
}
