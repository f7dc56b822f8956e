import { type ContainerConfig, TsbuildError } from '#core'
import {
  type Config,
  type ContainerImage,
  type ContainerRecord,
  CREATED_STATE,
  type CreateBody,
  checkContainerName,
  type EndpointConfig,
  findNamed,
  type HostConfig,
  inventName,
  mergeConfig,
  newId,
  now,
} from '#engine/model'
import { checkContainer } from './checks/check-container.ts'
import { checkWeight } from './checks/check-limits.ts'
import { Container } from './container.ts'
import type { ContainerDeps } from './container-deps.ts'
import { containerEvent } from './container-event.ts'
import { Exec } from './exec.ts'

/** An image as containers are made of it. */
export interface FoundImage {
  readonly image: ContainerImage
  readonly config: ContainerConfig
}

/** Mount points that are held for a container until it is known. */
export interface MadeMountPoints extends Disposable {
  readonly points: ContainerRecord['mounts']
}

/** What a new container is made with, besides its image. */
export interface CreateRequest {
  /** Absent: one is invented. */
  readonly name?: string | undefined
  readonly body: CreateBody
  readonly find: () => Promise<FoundImage>
  /** Makes its mount points, of volumes that are made for it, too; they are let go when it is known. */
  readonly mountPoints: (record: ContainerRecord) => Promise<MadeMountPoints>
}

/** A new container, and what its user should know. */
export interface CreatedContainer {
  readonly container: Container
  readonly warnings: readonly string[]
}

/** Processes that were started beside those of containers are known for so long after their end: milliseconds. */
const EXEC_MEMORY = 5 * 60_000

/** All containers of an engine. */
export class Containers {
  readonly #deps: ContainerDeps
  readonly #byId = new Map<string, Container>()
  readonly #execs = new Map<string, Exec>()
  /** Containers that are being made, by name. */
  readonly #drafts = new Map<string, ContainerRecord>()

  constructor(deps: ContainerDeps) {
    this.#deps = deps
    for (const record of deps.documents.all()) {
      this.#byId.set(record.id, new Container(record, deps))
    }
  }

  all(): readonly Container[] {
    for (const { id, record } of this.#byId.values()) {
      if (record.state.status === 'removing') this.#byId.delete(id)
    }
    return [...this.#byId.values()]
  }

  /** Containers that are being made. */
  drafts(): readonly ContainerRecord[] {
    return [...this.#drafts.values()]
  }

  /** By id, name, or the beginning of an id. @throws {TsbuildError} NOT_FOUND, USAGE */
  find(text: string): Container {
    return findNamed(this.all(), text, 'container')
  }

  /** @throws {TsbuildError} CONFLICT when the name is taken, USAGE */
  async create({ name, body, find, mountPoints }: CreateRequest): Promise<CreatedContainer> {
    const { HostConfig = {}, NetworkingConfig = {}, ...request } = body
    checkContainer(request, HostConfig)
    const kept = await this.#deps.keepLimits(HostConfig)
    checkWeight(kept.hostConfig)
    // Last: nobody can remove the image between this and the moment when it is known that it is used.
    const found = await find()
    const id = newId()
    const taken = this.#nameFor(name)
    const draft: ContainerRecord = {
      ...{ id, name: taken, created: now() },
      config: configOf(mergeConfig(request, found.config)),
      hostConfig: settled(kept.hostConfig),
      endpoints: endpointsOf(HostConfig.NetworkMode, NetworkingConfig.EndpointsConfig),
      image: found.image,
      mounts: [],
      state: CREATED_STATE,
      restartCount: 0,
      isStoppedByUser: false,
    }
    this.#drafts.set(taken, draft)
    try {
      const warnings = [...kept.warnings, ...this.#deps.check(draft)]
      using made = await mountPoints(draft)
      const record = { ...draft, mounts: made.points }
      this.#deps.documents.put(record)
      const container = new Container(record, this.#deps)
      this.#byId.set(id, container)
      this.#deps.emit(containerEvent(record, 'create'))
      return { container, warnings }
    } finally {
      this.#drafts.delete(taken)
    }
  }

  /** Gives a container another name. @throws {TsbuildError} CONFLICT, USAGE */
  rename(container: Container, wanted: string): void {
    if (wanted === '') {
      throw new TsbuildError('Neither old nor new names may be empty', { code: 'USAGE' })
    }
    const oldName = `/${container.name}`
    const name = newName(() => checkContainerName(wanted))
    if (name === container.name) {
      throw new TsbuildError('Renaming a container with the same name as its current name', {
        code: 'USAGE',
      })
    }
    newName(() => this.#requireFree(name))
    container.change({ name })
    this.#deps.emit(containerEvent(container.record, 'rename', { oldName }))
  }

  /** An exec that can be started once. */
  addExec(container: Container, body: Exec['body']): Exec {
    const exec = new Exec(container, body, this.#deps.emit)
    this.#forgetOldExecs()
    this.#execs.set(exec.id, exec)
    return exec
  }

  /** @throws {TsbuildError} NOT_FOUND */
  exec(id: string): Exec {
    const found = this.#execs.get(id)
    if (found !== undefined && this.#byId.has(found.container.id)) return found
    throw new TsbuildError(`No such exec instance: ${id}`, { code: 'NOT_FOUND' })
  }

  /** Of a container, that run. */
  execsOf(container: Container): readonly Exec[] {
    return [...this.#execs.values()].filter(
      (exec) => exec.container === container && exec.isRunning,
    )
  }

  #forgetOldExecs(): void {
    const oldest = performance.now() - EXEC_MEMORY
    for (const [id, { endedAt, container }] of this.#execs) {
      if (!this.#byId.has(container.id) || (endedAt ?? oldest) < oldest) this.#execs.delete(id)
    }
  }

  #nameFor(asked: string | undefined): string {
    const isTaken = (name: string): boolean => this.#holderOf(name) !== undefined
    const name =
      asked === undefined || asked === '' ? inventName(isTaken) : checkContainerName(asked)
    this.#requireFree(name)
    return name
  }

  #holderOf(name: string): string | undefined {
    return this.#drafts.get(name)?.id ?? this.all().find((one) => one.name === name)?.id
  }

  #requireFree(name: string): void {
    const holder = this.#holderOf(name)
    if (holder === undefined) return
    throw new TsbuildError(
      `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      { code: 'CONFLICT' },
    )
  }
}

/** Says what is wrong with a name that a container is to get in the place of its own. */
function newName<T>(check: () => T): T {
  try {
    return check()
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    const message = `Error when allocating new name: ${cause.message}`
    throw new TsbuildError(message, { code: cause.code, cause })
  }
}

/** With what docker puts in the place of what is left open: the network, swap, and the addresses of ports. */
function settled(config: HostConfig): HostConfig {
  const { NetworkMode, Memory = 0, MemorySwap = 0, PortBindings = {} } = config
  const bindings = Object.entries(PortBindings).map(([port, all]) => [
    port,
    all.map(({ HostIp = '', HostPort = '' }) => ({ HostIp, HostPort })),
  ])
  return {
    ...config,
    NetworkMode: networkOf(NetworkMode),
    // As much swap as memory.
    ...(Memory > 0 && MemorySwap === 0 ? { MemorySwap: 2 * Memory } : {}),
    ...(bindings.length === 0 ? {} : { PortBindings: Object.fromEntries(bindings) }),
  }
}

function networkOf(mode = ''): string {
  return mode === '' || mode === 'default' ? 'bridge' : mode
}

/** A container that has no network of its own has the name of what it shares it with. */
function configOf(config: Config): Config {
  return { ...config, Image: config.Image ?? '' }
}

/** The first network is that of the mode; others are those that have settings. */
function endpointsOf(
  mode: string | undefined,
  configured: Readonly<Record<string, EndpointConfig>> = {},
): Readonly<Record<string, EndpointConfig>> {
  const first = networkOf(mode)
  if (first.startsWith('container:')) return {}
  const { default: ofDefault, ...others } = configured
  const own = others[first] ?? (first === 'bridge' ? ofDefault : undefined) ?? {}
  return { ...others, [first]: own }
}
