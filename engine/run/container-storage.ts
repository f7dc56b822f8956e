import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ContainerServices } from '#builder'
import type { OpenedRoot } from '#builder/sandbox'
import { openStore } from '#cache'
import {
  type Bytes,
  type Digest,
  type Mount,
  parseDigest,
  Resources,
  type TransferOptions,
  TsbuildError,
  throwIfCancelled,
} from '#core'
import type { Commit, Download, FileServices, Upload } from '#engine/api'
import { type Container, containerEvent } from '#engine/containers'
import {
  ContainerFiles,
  type ContainerLayers,
  type ContainerSize,
  commitContainer,
  makeFirstLayer,
  type PathChange,
  type PathStat,
} from '#engine/files'
import type { ContainerRecord } from '#engine/model'
import type { NewEvent } from '#engine/state'
import {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '#registry-client'
import { Turns } from './turns.ts'

type Asked = Pick<Upload, 'path' | 'container'>

/** What is mounted in a container that does not run, besides its root, parents before what is mounted in them. */
export type OpenMounts = (
  record: ContainerRecord,
) => Promise<Disposable & { readonly mounts: readonly Mount[] }>

/** What the files of containers are found with. */
export interface StorageDeps {
  readonly services: ContainerServices
  /** The folder of a container. */
  readonly folder: (id: string) => string
  readonly openMounts: OpenMounts
  readonly emit: (event: NewEvent) => void
}

/** Milliseconds between two looks at a container that is about to start. */
const PATIENCE = 20

/**
 * The files of containers. Of one that runs they are reached through its process; of others its layers are mounted for
 * as long as they are used, and it cannot start while something is written there: a layer is writable in one place
 * at a time.
 */
export class ContainerStorage implements FileServices, AsyncDisposable {
  readonly #deps: StorageDeps
  readonly #files = new ContainerFiles()
  readonly #turns = new Turns()

  constructor(deps: StorageDeps) {
    this.#deps = deps
  }

  /** The right to mount the layers of a container so that they can be written to; waits for who has it. */
  hold(id: string): Promise<Disposable> {
    return this.#turns.take(id)
  }

  /** Where what a container writes is kept. */
  filesFolder(id: string): string {
    return join(this.#deps.folder(id), 'files')
  }

  /** The layers below what a container writes: those of its image, and what every container has. */
  async lowerOf(record: ContainerRecord): Promise<readonly string[]> {
    const image = await this.#imageOf(record)
    const first = join(this.#deps.folder(record.id), 'first')
    makeFirstLayer(first, image)
    return [first, ...image]
  }

  async stat(container: Container, asked: Asked, options: TransferOptions): Promise<PathStat> {
    await using root = await this.#open(container, 'read', options)
    return await this.#files.stat({ root: root.descriptor, ...asked }, options)
  }

  async read(container: Container, asked: Asked, options: TransferOptions): Promise<Download> {
    const root = await this.#open(container, 'read', options)
    try {
      const task = { root: root.descriptor, ...asked }
      const stat = await this.#files.stat(task, options)
      this.#report(container, 'archive-path')
      return { stat, tar: closing(this.#files.archive(task, options), root, options) }
    } catch (cause) {
      await root[Symbol.asyncDispose]()
      throw cause
    }
  }

  async write(container: Container, upload: Upload, options: TransferOptions): Promise<void> {
    const { path, tar, isOwnedByUser, replacesKinds } = upload
    const { hostConfig, config } = container.record
    await using root = await this.#open(container, 'write', options)
    const task = {
      ...{ root: root.descriptor, path, container: upload.container },
      isReadonlyRoot: hostConfig.ReadonlyRootfs === true,
      replacing: replacesKinds ? 'anything' : 'the same kind',
      ...(isOwnedByUser ? { user: config.User } : {}),
    } as const
    await this.#files.extract(task, tar, options)
    this.#report(container, 'extract-to-dir')
  }

  async changes(container: Container, options: TransferOptions): Promise<readonly PathChange[]> {
    await using layers = await this.#layersOf(container.record)
    return await this.#files.changes(pathsOf(layers), options)
  }

  async export(container: Container, options: TransferOptions): Promise<Bytes> {
    const layers = await this.#layersOf(container.record)
    this.#report(container, 'export')
    return closing(this.#files.export(pathsOf(layers), options), layers, options)
  }

  async size(container: Container): Promise<ContainerSize> {
    await using layers = await this.#layersOf(container.record)
    return await this.#files.size(pathsOf(layers))
  }

  async commit(container: Container, commit: Commit, options: TransferOptions): Promise<Digest> {
    const { record } = container
    const { repository, tag, comment = '', author, changes, config: asked } = commit
    const reference = repository === undefined ? undefined : joinReference(repository, tag)
    await using _paused = commit.isPaused ? await paused(container) : undefined
    await using layers = await this.#layersOf(record)
    const { image, config } = record
    const { upper } = layers
    const request = {
      ...{ image: parseDigest(image.manifest), platform: image.platform },
      layers: { upper, lower: await this.#imageOf(record) },
      ...{ config, asked, changes, author, comment },
      names: reference === undefined ? [] : [formatReference(reference)],
    }
    await using store = openStore(this.#deps.services.store.root)
    const { id } = await commitContainer(request, { store, files: this.#files, ...options })
    const name = reference === undefined ? '' : familiarReference(reference)
    if (name !== '') this.#deps.emit({ Type: 'image', Action: 'tag', id, attributes: { name } })
    this.#report(container, 'commit', { comment, imageID: id, imageRef: name })
    return id
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#files[Symbol.asyncDispose]()
  }

  async #open(
    container: Container,
    purpose: 'read' | 'write',
    { signal }: TransferOptions,
  ): Promise<OpenedRoot> {
    for (;;) {
      throwIfCancelled(signal, 'open the files of a container')
      const opened = openRunning(container)
      if (opened !== undefined) return opened
      const turn = this.#turns.tryTake(container.id)
      // It is about to run, or somebody else writes to it.
      if (turn === undefined) {
        await delay(PATIENCE)
        continue
      }
      await using held = new Resources()
      held.use(turn)
      const { record } = container
      return await (purpose === 'write'
        ? this.#mount(record, held)
        : this.#mountToRead(record, held))
    }
  }

  /** Mounts the files of a container that does not run. @param turn ends with the mount */
  async #mount(record: ContainerRecord, turn: Resources): Promise<OpenedRoot> {
    const snapshots = await this.#deps.services.snapshots()
    const lower = await this.lowerOf(record)
    const folder = this.filesFolder(record.id)
    const snapshot = turn.use(await snapshots.use((one) => one.reopen(folder, lower)))
    return released(await this.#openWith(record, snapshot.root), turn)
  }

  /** As `mount`, but what starts meanwhile is not kept waiting by who reads. */
  async #mountToRead(record: ContainerRecord, turn: Resources): Promise<OpenedRoot> {
    const shown = await this.#show(record)
    if (shown !== undefined) return shown
    // Where volumes and other mounts have no mount points yet, these are made.
    const made = await this.#mount(record, turn)
    if (!existsSync(this.#upperOf(record))) return made
    await made[Symbol.asyncDispose]()
    const again = await this.#show(record)
    if (again !== undefined) return again
    throw new TsbuildError(`the files of container ${record.id} cannot be mounted`, {
      code: 'SANDBOX_UNAVAILABLE',
    })
  }

  /** Mounts what a container has written as one more layer that is only read; `undefined` where that fails. */
  async #show(record: ContainerRecord): Promise<OpenedRoot | undefined> {
    const upper = this.#upperOf(record)
    if (!existsSync(upper)) return undefined
    const lower = [upper, ...(await this.lowerOf(record))]
    try {
      return await this.#openWith(record, { type: 'overlay', target: '/', lower })
    } catch (cause) {
      if (cause instanceof TsbuildError && cause.code === 'STEP_FAILED') return undefined
      throw cause
    }
  }

  /** Mounts a root with what the container mounts in it. */
  async #openWith(record: ContainerRecord, root: Mount): Promise<OpenedRoot> {
    const sandbox = await this.#deps.services.sandbox()
    await using held = new Resources()
    const { mounts } = held.use(await this.#deps.openMounts(record))
    return released(await sandbox.openRoot([root, ...mounts]), held)
  }

  /** The layers of a container, until they are disposed of. */
  async #layersOf(record: ContainerRecord): Promise<ContainerLayers & AsyncDisposable> {
    const lower = await this.lowerOf(record)
    const upper = this.#upperOf(record)
    const whole = { upper, lower, [Symbol.asyncDispose]: async () => undefined }
    if (existsSync(upper)) return whole
    // It was never mounted, or is a copy, which is compared in one place at a time.
    const turn = await this.#turns.take(`${record.id}/changes`)
    try {
      const snapshots = await this.#deps.services.snapshots()
      const changes = await snapshots.use(async (one) => {
        await using snapshot = await one.reopen(this.filesFolder(record.id), lower)
        return await snapshot.changes()
      })
      return { upper: changes, lower, [Symbol.asyncDispose]: async () => turn[Symbol.dispose]() }
    } catch (cause) {
      turn[Symbol.dispose]()
      throw cause
    }
  }

  /** With overlayfs. */
  #upperOf({ id }: ContainerRecord): string {
    return join(this.filesFolder(id), 'upper')
  }

  /** Looked up in a store that stays open they would outlast the container. */
  async #imageOf({ image }: ContainerRecord): Promise<readonly string[]> {
    const { services } = this.#deps
    await using store = openStore(services.store.root)
    return await services.lowers(image.manifest, image.platform, store)
  }

  #report(
    { record }: Container,
    Action: string,
    more: Readonly<Record<string, string>> = {},
  ): void {
    this.#deps.emit(containerEvent(record, Action, more))
  }
}

/** `undefined` where no program runs, or has ended just now. */
function openRunning(container: Container): OpenedRoot | undefined {
  try {
    return container.isRunning ? container.process().openRoot() : undefined
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause
    if (cause.code === 'CONFLICT' || cause.code === 'STEP_FAILED') return undefined
    throw cause
  }
}

/** Pauses a container that runs, where this machine can; disposing lets it go on. */
async function paused(container: Container): Promise<AsyncDisposable | undefined> {
  if (container.record.state.status !== 'running') return undefined
  try {
    await container.pause()
  } catch (cause) {
    // Without control groups its files are read as they are.
    if (cause instanceof TsbuildError && ['UNSUPPORTED', 'CONFLICT'].includes(cause.code)) return
    throw cause
  }
  return {
    [Symbol.asyncDispose]: async () => {
      // It may have been killed, or resumed, meanwhile.
      if (container.record.state.status === 'paused') await container.resume()
    },
  }
}

/** A root that takes with it what was held for it. */
function released(root: OpenedRoot, held: Resources): OpenedRoot {
  held.use(root)
  const owned = held.move()
  return {
    descriptor: root.descriptor,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  }
}

/** As threads take them. */
function pathsOf({ upper, lower }: ContainerLayers): ContainerLayers {
  return { upper, lower }
}

/** Bytes of something that is released when they have ended, or are given up, even before the first one was asked for. */
function closing(bytes: Bytes, held: AsyncDisposable, { signal }: TransferOptions): Bytes {
  const iterator = bytes[Symbol.asyncIterator]()
  let released: Promise<void> | undefined
  const end = async (): Promise<IteratorReturnResult<undefined>> => {
    await iterator.return?.()
    released ??= Promise.resolve(held[Symbol.asyncDispose]())
    await released
    return { done: true, value: undefined }
  }
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    try {
      const { done, value } = await iterator.next()
      return done === true ? await end() : { done: false, value }
    } catch (cause) {
      await end()
      throw cause
    }
  }
  signal?.addEventListener('abort', () => void end(), { once: true })
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
}

function joinReference(repository: string, tag: string | undefined): Reference {
  const reference = parseReference(tag === undefined ? repository : `${repository}:${tag}`)
  return withDefaultTag(reference)
}
