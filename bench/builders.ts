import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  findPeers,
  pushLayout,
  type Registry,
  run,
  startBuildah,
  startBuildkitd,
  startDockerd,
  type TemporaryDirectory,
  temporaryDirectory,
  unpackPeers,
} from '../test/support/peers/index.ts'
import { freshFileSystem } from './fresh-file-system.ts'

/**
 * A builder under measurement. All three build as root, on the host's network, into their own image
 * store.
 */
export interface Builder extends AsyncDisposable {
  readonly name: string
  /** Starts over with a storage that has nothing but the base image, fetched and unpacked. */
  reset(): Promise<void>
  build(context: string): Promise<void>
}

/** What the builders start from. */
export interface Bench {
  readonly directory: TemporaryDirectory
  readonly registry: Registry
  /** The name of the base image. */
  readonly base: string
}

/** The default of the Docker daemon. */
const SYSTEM_TEMPORARY = tmpdir()

export const CLI: string = fileURLToPath(new URL('../../cli/bin.js', import.meta.url))

/** @param prime a trivial context on the base image, for builders that fetch a base only when they build */
export async function startBuilders(bench: Bench, prime: string): Promise<Builder[]> {
  const starts = [() => tsbuild(bench, prime), () => buildKit(bench, prime), () => buildah(bench)]
  const builders: Builder[] = []
  for (const start of starts) builders.push(await onOwnDisk(start))
  return builders
}

/**
 * A builder with a file system of its own for its storage and temporary files: what one of them deletes
 * while it builds would slow down the one that is measured next (see `freshFileSystem`).
 */
async function onOwnDisk(start: () => Promise<Builder>): Promise<Builder> {
  const disk = await inFolder(SYSTEM_TEMPORARY, freshFileSystem)
  const there = <T>(work: () => Promise<T>): Promise<T> => inFolder(disk.path, work)
  const builder = await there(start)
  return {
    name: builder.name,
    reset: () => there(() => builder.reset()),
    build: (context) => there(() => builder.build(context)),
    [Symbol.asyncDispose]: async () => {
      await builder[Symbol.asyncDispose]()
      await disk[Symbol.asyncDispose]()
    },
  }
}

export async function pushBase(registry: Registry, layout: string): Promise<string> {
  const base = `${registry.host}/busybox:latest`
  await pushLayout(layout, base)
  return base
}

/** With `folder` for temporary files. */
async function inFolder<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const before = tmpdir()
  process.env.TMPDIR = folder
  try {
    return await work()
  } finally {
    process.env.TMPDIR = before
  }
}

async function tsbuild({ directory }: Bench, prime: string): Promise<Builder> {
  const storage = temporaryDirectory('tsbuild')
  let round = 0
  // The home stays: it holds the code that Node.js keeps compiled from one run to the next.
  const env = (): Record<string, string> => ({
    TSBUILD_ROOT: storage.file(`${round}`),
    HOME: directory.file('home'),
  })
  const build = async (context: string): Promise<void> => {
    const flags = ['--network', 'host', '--progress', 'plain', '-t', 'bench:latest']
    await run(process.execPath, [CLI, ...flags, context], { env: env() })
  }
  return {
    name: 'tsbuild',
    reset: async () => {
      round += 1
      await build(prime)
    },
    build,
    [Symbol.asyncDispose]: async () => storage[Symbol.dispose](),
  }
}

/** The newest one where it is (see `findPeers`), docker.io's otherwise. */
async function buildKit(bench: Bench, prime: string): Promise<Builder> {
  const peers = findPeers()
  const start = peers === undefined ? () => dockerIo(bench) : await newest(peers, prime)
  const rounds = new Rounds(start)
  return {
    name: 'BuildKit',
    reset: () => rounds.next(),
    build: async (context) => (await rounds.current()).build(context),
    [Symbol.asyncDispose]: () => rounds[Symbol.asyncDispose](),
  }
}

/** A storage of BuildKit, which knows the base image. */
interface BuildKitRound extends AsyncDisposable {
  build(context: string): Promise<void>
}

async function dockerIo({ base }: Bench): Promise<BuildKitRound> {
  const dockerd = await startDockerd()
  await dockerd.docker(['pull', '--quiet', base])
  return {
    build: async (context) => void (await dockerd.build(['-t', 'bench:latest', context])),
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  }
}

async function newest(peers: string, prime: string): Promise<() => Promise<BuildKitRound>> {
  const programs = await unpackPeers(peers)
  // Like the others, it keeps the image and compresses nothing.
  const output = ['--output', 'type=image,name=bench,compression=uncompressed']
  return async () => {
    const buildkitd = await startBuildkitd(programs)
    const build = async (context: string) => void (await buildkitd.build(context, output))
    await build(prime)
    return { build, [Symbol.asyncDispose]: () => buildkitd[Symbol.asyncDispose]() }
  }
}

/** Which BuildKit is measured, with its version. */
export async function describeBuildKit(): Promise<string> {
  const peers = findPeers()
  const [program, name] =
    peers === undefined
      ? ['/usr/bin/docker', "BuildKit of Debian's docker.io"]
      : [join(await unpackPeers(peers), 'buildkitd'), 'BuildKit']
  const { stdout } = await run(program, ['--version'])
  return `${name} ${/\bv?(\d+\.\d[\w.+-]*)/.exec(stdout)?.[1] ?? ''}`
}

async function buildah({ base }: Bench): Promise<Builder> {
  const rounds = new Rounds(async () => {
    const peer = await startBuildah()
    await peer.pull(`docker://${base}`)
    return peer
  })
  return {
    name: 'buildah',
    reset: () => rounds.next(),
    build: async (context) => {
      await (await rounds.current()).build(['-t', 'bench:latest', context])
    },
    [Symbol.asyncDispose]: () => rounds[Symbol.asyncDispose](),
  }
}

/**
 * One storage after the other, all kept to the end: ext4 avoids the inodes of files that were deleted
 * in the last minutes, and next to a deleted storage every new file takes thirty times as long.
 */
class Rounds<T extends AsyncDisposable> implements AsyncDisposable {
  readonly #start: () => Promise<T>
  readonly #all: T[] = []

  constructor(start: () => Promise<T>) {
    this.#start = start
  }

  async next(): Promise<void> {
    this.#all.push(await this.#start())
  }

  async current(): Promise<T> {
    if (this.#all.length === 0) await this.next()
    const current = this.#all.at(-1)
    if (current === undefined) throw new Error('no storage')
    return current
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#all) await one[Symbol.asyncDispose]()
  }
}
