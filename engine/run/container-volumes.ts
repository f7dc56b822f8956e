import type { ContainerServices } from '#builder'
import { openStore, type Store } from '#cache'
import { type Mount, Resources, TsbuildError } from '#core'
import type { MadeMountPoints } from '#engine/containers'
import type { Images } from '#engine/images'
import type { ContainerRecord } from '#engine/model'
import type { Documents, NewEvent } from '#engine/state'
import {
  ContainerMounts,
  type OpenedMounts,
  type ShowImage,
  type VolumeRecord,
  Volumes,
  VolumeThread,
} from '#engine/volumes'

/** What volumes of containers are made with. */
export interface ContainerVolumesOptions {
  readonly services: ContainerServices
  readonly documents: Documents<VolumeRecord>
  readonly images: Pick<Images, 'resolve'>
  readonly emit: (event: NewEvent) => void
  /** All containers. */
  readonly records: () => readonly ContainerRecord[]
  /** The mounts of a container. @throws {TsbuildError} NOT_FOUND, USAGE */
  readonly mountsOf: (container: string) => ContainerRecord['mounts']
}

/** Volumes, and what containers mount of them, of images and of this machine. */
export class ContainerVolumes implements AsyncDisposable {
  readonly volumes: Volumes
  readonly #options: ContainerVolumesOptions
  readonly #thread = new VolumeThread()
  readonly #mounts: ContainerMounts

  constructor(options: ContainerVolumesOptions) {
    const { services, documents, emit, records } = options
    this.#options = options
    this.volumes = new Volumes({
      ...{ documents, emit, folder: services.store.volumesFolder },
      usersOf: (name) =>
        records().flatMap(({ id, mounts }) =>
          mounts.some(({ Type, Name }) => Type === 'volume' && Name === name) ? [id] : [],
        ),
      measure: (directories) => this.#thread.measure(directories),
    })
    this.#mounts = new ContainerMounts({ volumes: this.volumes, thread: this.#thread, emit })
  }

  /** Makes what a new container mounts. @throws {TsbuildError} in docker's words */
  readonly make = async (record: ContainerRecord): Promise<MadeMountPoints> => {
    const { services, mountsOf, images } = this.#options
    const { manifest, platform } = record.image
    await using held = new Resources()
    // Most containers fill no volume.
    let store: Store | undefined
    const lowers = () => {
      store ??= held.use(openStore(services.store.root))
      return services.lowers(manifest, platform, store)
    }
    const requireImage = async (image: string): Promise<void> => void (await images.resolve(image))
    try {
      return await this.#mounts.make(record, { lowers, mountsOf, requireImage })
    } catch (cause) {
      // That of a container is not found means to clients that its image is not there.
      if (!(cause instanceof TsbuildError) || cause.code !== 'NOT_FOUND') throw cause
      throw new TsbuildError(cause.message, { code: 'USAGE', hint: cause.hint, cause })
    }
  }

  /** What a container mounts, until that is disposed of. @throws {TsbuildError} in docker's words */
  async open(record: ContainerRecord): Promise<OpenedMounts> {
    return await this.#mounts.open(record, this.#showImage)
  }

  /** Removes volumes that only this container had, and nobody has named. */
  async removeAnonymous(record: ContainerRecord): Promise<void> {
    await this.#mounts.removeAnonymous(record)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]()
  }

  readonly #showImage: ShowImage = async ({ image, destination, subpath }) => {
    const { services, images } = this.#options
    const { manifest, platform } = (await images.resolve(image)).image
    const shown: Mount = {
      ...{ type: 'overlay', target: destination, readonly: true },
      // No container keeps them.
      lower: await services.lowers(manifest, platform, services.store),
      ...(subpath === undefined ? {} : { path: subpath }),
    }
    return shown
  }
}
