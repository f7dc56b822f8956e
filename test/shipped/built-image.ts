import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type ImageContexts,
  imageCommand,
  makeWritableFolder,
} from '../../shipped/image/build-image.ts'
import { makePackageFolder } from '../../shipped/image/package-folder.ts'
import { makeSystemFolder } from '../../shipped/image/system-folder.ts'
import {
  cachedFolder,
  capture,
  ensurePackages,
  type Outcome,
  readImage,
  run,
  type TemporaryDirectory,
} from '../support/peers/index.ts'

const SOURCES = fileURLToPath(new URL('../../shipped/image', import.meta.url))

/** The contexts of the image. Debian's part is made once for each version of what makes it. */
export async function imageContexts(directory: TemporaryDirectory): Promise<ImageContexts> {
  await ensurePackages()
  const hash = createHash('sha256')
  for (const name of readdirSync(SOURCES).toSorted()) {
    if (name.endsWith('.js')) hash.update(readFileSync(join(SOURCES, name)))
  }
  const system = await cachedFolder(
    ['image', process.version, hash.digest('hex')],
    makeSystemFolder,
  )
  const contexts = {
    system,
    package: directory.file('package'),
    writable: directory.file('writable'),
  }
  makePackageFolder(contexts.package)
  makeWritableFolder(contexts.writable)
  return contexts
}

/** Builds the image into a store of its own, as an archive; its layers are not compressed. */
export async function buildArchive(
  contexts: ImageContexts,
  place: { readonly store: string; readonly archive: string; readonly target?: string },
): Promise<void> {
  const { store, archive, target = 'tsbuild' } = place
  const output = [
    '-t',
    'tsbuild',
    '-o',
    `type=docker,dest=${archive},compression=uncompressed`,
    '--target',
    target,
  ]
  const [program, ...args] = imageCommand(contexts, ['--root', store, '--quiet', ...output])
  await run(program, args)
}

/** How a container of the image is run. */
export interface ContainerRun {
  readonly args: readonly string[]
  /** User and group; default: root. */
  readonly user?: number
  readonly env?: Readonly<Record<string, string>>
  /** Folders of this machine by their paths in the container. */
  readonly mounts?: Readonly<Record<string, string>>
  readonly input?: string
}

interface RuntimeConfig {
  process: {
    terminal?: boolean
    args: string[]
    env: string[]
    user: { uid: number; gid: number }
  }
  root: { readonly?: boolean }
  mounts: { destination: string; type: string; source: string; options: string[] }[]
  linux: { namespaces: { type: string }[] }
}

/** The image, unpacked to be run by runc. */
export class UnpackedImage {
  readonly rootfs: string
  readonly #bundle: string
  readonly #config: string
  readonly #state: string

  private constructor(bundle: string, state: string) {
    this.#bundle = bundle
    this.rootfs = join(bundle, 'rootfs')
    this.#config = readFileSync(join(bundle, 'config.json'), 'utf8')
    this.#state = state
  }

  static async unpack(archive: string, directory: TemporaryDirectory): Promise<UnpackedImage> {
    const { bundle } = await readImage(`docker-archive:${archive}`, directory.path, 'image')
    return new UnpackedImage(bundle, directory.file('runc'))
  }

  /** Leaves only what is said to be the builder's own, as while another image's files are the root. */
  leaveOwnFiles(): void {
    const kept = readFileSync(join(this.rootfs, 'tsbuild/in-place'), 'utf8').trim().split('\n')
    const own = join(this.#bundle, 'own')
    mkdirSync(own)
    for (const path of kept) renameSync(join(this.rootfs, path), join(own, path))
    rmSync(this.rootfs, { recursive: true })
    renameSync(own, this.rootfs)
  }

  /** Runs a container on the host's network to its end. */
  async run({ args, user = 0, env = {}, mounts = {}, input }: ContainerRun): Promise<Outcome> {
    const config: RuntimeConfig = JSON.parse(this.#config)
    config.process.terminal = false
    config.process.args = [...args]
    config.process.env.push(...Object.entries(env).map(([name, value]) => `${name}=${value}`))
    config.process.user = { uid: user, gid: user }
    config.root.readonly = false
    config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'network')
    for (const [destination, source] of Object.entries(mounts)) {
      config.mounts.push({ destination, type: 'bind', source, options: ['bind'] })
    }
    writeFileSync(join(this.#bundle, 'config.json'), JSON.stringify(config))
    const id = `tsbuild-image-${process.pid}`
    const words = ['--root', this.#state, 'run', '--bundle', this.#bundle, id]
    return await capture('runc', words, input === undefined ? {} : { input })
  }
}
