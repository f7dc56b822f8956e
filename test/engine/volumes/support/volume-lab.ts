import { digestOf } from '#core'
import type { ContainerMount } from '#engine/model'
import { type Config, type ContainerRecord, CREATED_STATE, type HostConfig } from '#engine/model'
import type { Documents, NewEvent } from '#engine/state'
import { ContainerMounts, type VolumeRecord, Volumes, VolumeThread } from '#engine/volumes'
import { memoryDirectory, type TemporaryDirectory } from '../../../support/peers/index.ts'
import { memoryDocuments } from '../../support/memory-documents.ts'

interface LabOptions {
  readonly documents?: Documents<VolumeRecord>
  /** Where the files are, for as long as the lab. */
  readonly folder?: TemporaryDirectory
}

/** Volumes of an engine that forgets them, and containers that have them. */
export class VolumeLab implements AsyncDisposable {
  readonly folder: TemporaryDirectory
  readonly volumes: Volumes
  readonly mounts: ContainerMounts
  readonly events: NewEvent[] = []
  /** By id. */
  readonly containers: Map<string, ContainerRecord> = new Map()
  readonly #thread = new VolumeThread()

  constructor({
    documents = memoryDocuments<VolumeRecord>(),
    folder = memoryDirectory('volumes'),
  }: LabOptions = {}) {
    this.folder = folder
    const emit = (event: NewEvent): void => void this.events.push(event)
    this.volumes = new Volumes({
      documents,
      folder: this.folder.file('volumes'),
      emit,
      usersOf: (name) =>
        [...this.containers.values()]
          .filter(({ mounts }) => mounts.some(({ Name }) => Name === name))
          .map(({ id }) => id),
      measure: (directories) => this.#thread.measure(directories),
    })
    this.mounts = new ContainerMounts({ volumes: this.volumes, thread: this.#thread, emit })
  }

  /** Makes the mounts of a container, which has them from then on. */
  async container(
    record: ContainerRecord,
    lowers: readonly string[] = [],
  ): Promise<ContainerRecord> {
    using made = await this.mounts.make(record, {
      lowers: async () => await Promise.resolve(lowers),
      mountsOf: (id) => this.#mountsOf(id),
      requireImage: async () => await Promise.resolve(),
    })
    const whole = { ...record, mounts: made.points }
    this.containers.set(record.id, whole)
    return whole
  }

  #mountsOf(id: string): readonly ContainerMount[] {
    const found = this.containers.get(id)
    if (found === undefined) throw new Error(`No such container: ${id}`)
    return found.mounts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]()
    this.folder[Symbol.dispose]()
  }
}

const NONE = digestOf('')

/** A container that asks for mounts. */
export function recordOf(id: string, hostConfig: HostConfig, config: Config = {}): ContainerRecord {
  return {
    ...{ id, name: id, created: '', config, hostConfig, endpoints: {}, mounts: [] },
    image: {
      name: 'busybox',
      manifest: NONE,
      id: NONE,
      platform: { os: 'linux', architecture: 'amd64' },
    },
    state: CREATED_STATE,
    restartCount: 0,
    isStoppedByUser: false,
  }
}
