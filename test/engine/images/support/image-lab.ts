import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Images, type ProgressMessage, pullImage } from '#engine/images'
import { type EngineEvent, Events } from '#engine/state'
import {
  memoryDirectory,
  type Registry,
  startBusyboxRegistry,
  type TemporaryDirectory,
} from '../../../support/peers/index.ts'

type User = ReturnType<Images['options']['users']>[number]

/** The images of an engine on a store of its own, and a registry that has busybox. */
export class ImageLab implements AsyncDisposable {
  readonly folder: TemporaryDirectory = memoryDirectory('images')
  readonly registry: Registry
  readonly images: Images
  /** Containers of images. */
  readonly users: User[] = []
  readonly #events: EngineEvent[] = []

  private constructor(registry: Registry) {
    this.registry = registry
    const events = new Events()
    events.listen((event) => this.#events.push(event))
    this.images = new Images({ root: this.folder.file('store'), events, users: () => this.users })
  }

  static async start(): Promise<ImageLab> {
    return new ImageLab(await startBusyboxRegistry())
  }

  /** The name of busybox in the registry, without a tag. */
  get busybox(): string {
    return `${this.registry.host}/busybox`
  }

  /** What has happened since the last call. */
  takeEvents(): readonly EngineEvent[] {
    return this.#events.splice(0)
  }

  async pull(name: string = this.busybox, tag = 'latest'): Promise<readonly ProgressMessage[]> {
    return await collect(pullImage(this.images, { image: name, tag }))
  }

  /** Removes every image. */
  async clear(): Promise<void> {
    this.users.length = 0
    for (const { Id } of await this.images.list({}, 56)) {
      await this.images.remove(String(Id), { force: true })
    }
    this.takeEvents()
  }

  /** A tar of files by their paths. */
  tar(files: Readonly<Record<string, string>>, ...options: readonly string[]): Buffer {
    const folder = this.folder.file(`files-${Object.keys(files).length}-${Math.random()}`)
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    return execFileSync('tar', [...options, '-c', '-C', folder, '.'])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]()
    this.folder[Symbol.dispose]()
  }
}

/** All messages of a request. */
export async function collect(
  messages: AsyncIterable<ProgressMessage>,
): Promise<readonly ProgressMessage[]> {
  const all: ProgressMessage[] = []
  for await (const message of messages) all.push(message)
  return all
}

/** Bytes in pieces, as a request has them. */
export async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}
