import { existsSync, opendirSync } from 'node:fs'
import { join } from 'node:path'
import { rawTree, resolveInTree } from '#builder/layer'
import { MS } from '#builder/linux'
import { type BindMount, type Mount, nameOf, type TmpfsMount, TsbuildError } from '#core'
import { makeFolders } from '#disk'
import type { ContainerMount, ContainerRecord, MountPoint } from '#engine/model'
import type { NewEvent } from '#engine/state'
import { MemoryVolumes } from './memory-volumes.ts'
import { partSpec, pointOf, withSpec } from './mounts/mount-point.ts'
import { planMounts, planTmpfs } from './mounts/plan-mounts.ts'
import type { PlannedImage, PlannedVolume } from './mounts/planned-mount.ts'
import { tmpfsSettings } from './options/tmpfs-options.ts'
import type { VolumeSource } from './options/volume-source.ts'
import type { VolumeThread } from './threads/volume-thread.ts'
import { isAnonymous, type VolumeRecord } from './volume-record.ts'
import { sourceOf, type Volumes } from './volumes.ts'

/** What mounts of containers are made with. */
export interface ContainerMountsDeps {
  readonly volumes: Volumes
  readonly thread: Pick<VolumeThread, 'fill'>
  readonly emit: (event: NewEvent) => void
}

/** What is known of a container that is being made. */
export interface MakeContext {
  /** The layers of its image as directories, topmost first. */
  readonly lowers: () => Promise<readonly string[]>
  /** The mounts of another container. @throws {TsbuildError} NOT_FOUND */
  readonly mountsOf: (container: string) => readonly ContainerMount[]
  /** @throws {TsbuildError} NOT_FOUND for an image that is not there */
  readonly requireImage: (image: string) => Promise<void>
}

/** The mounts of a container that is not known yet; to be disposed of when it is, or when it was given up. */
export interface MadePoints extends Disposable {
  readonly points: readonly ContainerMount[]
}

/** Mounts as a sandbox takes them, as long as a container runs. */
export interface OpenedMounts extends Disposable {
  /** Parents before what is mounted in them. */
  readonly mounts: readonly Mount[]
}

/** Shows the files of an image at a place of a container. */
export type ShowImage = (
  image: Pick<PlannedImage, 'image' | 'destination' | 'subpath'>,
) => Promise<Mount>

/** The mounts of containers: volumes, files of the host, memory and images. */
export class ContainerMounts {
  readonly #deps: ContainerMountsDeps
  readonly #memory = new MemoryVolumes()
  /** How many running containers see a volume, by its name. */
  readonly #shown = new Map<string, number>()

  constructor(deps: ContainerMountsDeps) {
    this.#deps = deps
  }

  /**
   * Makes the volumes that a new container asks for, and fills those that are empty from its image. When it fails,
   * volumes without names that were made for it are gone.
   * @throws {TsbuildError} USAGE, NOT_FOUND, CONFLICT, NO_SPACE in docker's words
   */
  async make(record: ContainerRecord, context: MakeContext): Promise<MadePoints> {
    const { mountsOf } = context
    const planned = planMounts(requestOf(record), { mountsOf, exists: existsSync })
    const claims: Disposable[] = []
    const release = (): void => {
      for (const claim of claims.splice(0)) claim[Symbol.dispose]()
    }
    const points: ContainerMount[] = []
    try {
      for (const one of planned) {
        if (one.kind === 'image') await context.requireImage(one.image)
        const point = one.kind === 'volume' ? this.#makeVolume(one) : pointOf(one)
        if (point === undefined) continue
        points.push(point)
        const { Name } = point
        if (point.Type !== 'volume' || Name === undefined) continue
        claims.push(this.#deps.volumes.claim(Name, record.id))
        if (one.kind === 'volume') await this.#fill(one, Name, context)
      }
      return { points, [Symbol.dispose]: release }
    } catch (cause) {
      release()
      await this.removeAnonymous({ ...record, mounts: points })
      throw cause
    }
  }

  /**
   * What a container mounts when it is started. Folders of the host that its request lets be made are made.
   * @throws {TsbuildError} NOT_FOUND, USAGE, IO_FAILED in docker's words
   */
  async open(record: ContainerRecord, showImage: ShowImage): Promise<OpenedMounts> {
    const held: Disposable[] = []
    const release = (): void => {
      for (const one of held.splice(0).toReversed()) one[Symbol.dispose]()
    }
    try {
      return { mounts: await this.#openAll({ record, held, showImage }), [Symbol.dispose]: release }
    } catch (cause) {
      release()
      throw cause
    }
  }

  async #openAll(opening: Opening): Promise<readonly Mount[]> {
    const { mounts, hostConfig } = opening.record
    const opened: Mount[] = []
    for (const mount of mounts) opened.push(await this.#open(mount, opening))
    const taken = new Set(mounts.map(({ Destination }) => Destination))
    for (const [path, text] of Object.entries(hostConfig.Tmpfs ?? {})) {
      const { destination, options } = planTmpfs(path, text)
      if (!taken.has(destination)) opened.push(memoryAt(destination, options))
    }
    return opened.sort((one, other) => (one.target < other.target ? -1 : 1))
  }

  /** Removes the volumes of a container that nobody has named, as far as no other one has them. */
  async removeAnonymous(record: Pick<ContainerRecord, 'mounts' | 'hostConfig'>): Promise<void> {
    const { volumes } = this.#deps
    const { Binds = [], Mounts = [] } = record.hostConfig
    const named = new Set([
      ...Binds.map((text) => text.split(':')[0]),
      ...Mounts.map(({ Source }) => Source),
    ])
    for (const { Type, Name } of record.mounts) {
      if (Type !== 'volume' || Name === undefined || named.has(Name)) continue
      const volume = volumes.all().find(({ id }) => id === Name)
      if (volume === undefined || !isAnonymous(volume)) continue
      if (volumes.usersOf(Name).length === 0) await volumes.remove(Name, { force: true })
    }
  }

  #makeVolume(planned: PlannedVolume): ContainerMount {
    const { volumes } = this.#deps
    const { name, driver, labels, options, destination: Destination } = planned
    const { id } = volumes.create({ name, driver, labels, options })
    const common = { Destination, Driver: 'local', Mode: planned.mode, Propagation: '' }
    const Source = volumes.folders.data(id)
    const RW = !planned.isReadonly
    return { Type: 'volume', Name: id, Source, ...common, RW, ...withSpec(partSpec(planned)) }
  }

  /** What is in memory, or shown in part only, is not filled. */
  async #fill(
    { isFilled, destination: path, subpath }: PlannedVolume,
    name: string,
    { lowers }: MakeContext,
  ): Promise<void> {
    const { volumes, thread } = this.#deps
    const source = sourceOf(volumes.find(name))
    if (!isFilled || subpath !== undefined || source.kind === 'tmpfs') return
    const isFolder = source.kind === 'folder'
    const files = isFolder ? volumes.folders.data(name) : source.device
    if (!isFolder && !existsSync(files)) return
    // Found out first: layers may have to be unpacked.
    if (!isEmpty(files)) return
    await thread.fill({
      ...{ files, path, lowers: await lowers() },
      scratch: isFolder ? volumes.folders.scratch(name) : undefined,
      isShown: this.#shown.has(name),
    })
  }

  async #open(mount: ContainerMount, opening: Opening): Promise<Mount> {
    const { Type, Source: source, Destination: target, RW, spec = {} } = mount
    switch (Type) {
      case 'bind': {
        if (spec.makesSource === true && !existsSync(source)) makeFolders(source, 0o755)
        return {
          ...{ type: 'bind', target, source, readonly: !RW },
          recursive: spec.isFlat !== true,
          ...(spec.writableBelow === undefined ? {} : { writableBelow: spec.writableBelow }),
          propagation: (mount.Propagation || 'rprivate') as NonNullable<BindMount['propagation']>,
        }
      }
      case 'volume':
        return this.#openVolume(mount, opening)
      case 'tmpfs':
        return memoryAt(target, [...(spec.options ?? []), ...(RW ? [] : ['ro'])])
      case 'image':
        return await opening.showImage({
          ...{ image: mount.Name ?? '', destination: target },
          ...partSpec(spec),
        })
    }
  }

  #openVolume(point: ContainerMount, { record, held }: Opening): Mount {
    const { volumes } = this.#deps
    const { Name = '', Destination: target, RW } = point
    const volume = volumes.find(Name)
    held.push(this.#show(volume, { point, container: record.id }))
    const subpath = point.spec?.subpath
    const part = subpath === undefined ? {} : { path: `/${subpath}` }
    if (subpath !== undefined) checkPart(volumes.folders.data(Name), subpath)
    const common = { type: 'bind', target, readonly: !RW, ...part } as const
    const source = sourceOf(volume)
    const folder = volumes.folders.data(Name)
    switch (source.kind) {
      case 'folder':
        return { ...common, source: folder, labelled: true }
      case 'tmpfs':
        held.push(this.#memory.hold(folder, source.settings))
        return { ...common, source: folder }
      case 'bind':
        checkDevice(folder, source)
        return {
          ...{ ...common, source: source.device, readonly: !RW || source.isReadonly },
          recursive: source.isRecursive,
        }
    }
  }

  /** Counts a container among those that see a volume. */
  #show(
    { id }: VolumeRecord,
    { point, container }: { readonly point: MountPoint; readonly container: string },
  ): Disposable {
    const { emit } = this.#deps
    this.#shown.set(id, (this.#shown.get(id) ?? 0) + 1)
    const { Destination: destination, RW, Propagation: propagation } = point
    const attributes = { driver: 'local', container }
    const about = { destination, 'read/write': `${RW}`, propagation }
    emit({ Type: 'volume', Action: 'mount', id, attributes: { ...attributes, ...about } })
    return {
      [Symbol.dispose]: () => {
        const left = (this.#shown.get(id) ?? 1) - 1
        if (left === 0) this.#shown.delete(id)
        else this.#shown.set(id, left)
        emit({ Type: 'volume', Action: 'unmount', id, attributes })
      },
    }
  }
}

/** What a mount is opened with. */
interface Opening {
  readonly record: ContainerRecord
  /** Takes what is let go when the container has ended. */
  readonly held: Disposable[]
  readonly showImage: ShowImage
}

function requestOf({ hostConfig, config }: ContainerRecord): Parameters<typeof planMounts>[0] {
  return { hostConfig, volumes: Object.keys(config.Volumes ?? {}) }
}

/** As `docker run --tmpfs` has it. */
function memoryAt(target: string, options: readonly string[]): TmpfsMount {
  return { type: 'tmpfs', target, ...tmpfsSettings(options, ['exec', 'suid', 'dev']) }
}

function checkDevice(folder: string, source: VolumeSource & { readonly kind: 'bind' }): void {
  const { device, isReadonly, isRecursive } = source
  if (existsSync(device)) return
  const flags = MS.BIND | (isRecursive ? MS.REC : 0) | (isReadonly ? MS.RDONLY : 0)
  const doing = `error while mounting volume '${folder}': failed to mount local volume`
  const what = `mount ${device}:${folder}, flags: 0x${flags.toString(16)}`
  throw new TsbuildError(`${doing}: ${what}: no such file or directory`, { code: 'IO_FAILED' })
}

/** The sandbox finds it again, and stays in the volume however it changes. */
function checkPart(folder: string, subpath: string): void {
  const tree = rawTree(folder)
  try {
    const path = resolveInTree(tree, nameOf(subpath), { followLast: true })
    if (tree.lstat(path) !== undefined) return
  } finally {
    tree.close()
  }
  const place = join(folder, subpath)
  throw new TsbuildError(`cannot access path ${place}: lstat ${place}: no such file or directory`, {
    code: 'IO_FAILED',
  })
}

function isEmpty(folder: string): boolean {
  const entries = opendirSync(folder)
  try {
    return entries.readSync() === null
  } finally {
    entries.closeSync()
  }
}
