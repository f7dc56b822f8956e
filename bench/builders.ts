import { fileURLToPath } from 'node:url'
import {
  type Dockerd,
  pushLayout,
  type Registry,
  run,
  startBuildah,
  startDockerd,
  type TemporaryDirectory,
} from '../test/support/peers/index.ts'

/**
 * A builder under measurement, with storage of its own below the same temporary directory. All
 * three build as root, on the host's network, into their own image store.
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

export const CLI: string = fileURLToPath(new URL('../../cli/bin.js', import.meta.url))

/** A trivial context on the base image, for builders that fetch a base only when they build. */
export async function startBuilders(bench: Bench, prime: string): Promise<Builder[]> {
  return [tsbuild(bench, prime), await buildKit(bench), await buildah(bench)]
}

export async function pushBase(registry: Registry, layout: string): Promise<string> {
  const base = `${registry.host}/busybox:latest`
  await pushLayout(layout, base)
  return base
}

function tsbuild({ directory }: Bench, prime: string): Builder {
  let round = 0
  // The home stays: it holds the code that Node.js keeps compiled from one run to the next.
  const env = (): Record<string, string> => ({
    TSBUILD_ROOT: directory.file(`tsbuild-${round}`),
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
    [Symbol.asyncDispose]: async () => undefined,
  }
}

async function buildKit({ base }: Bench): Promise<Builder> {
  const start = async (): Promise<Dockerd> => {
    const dockerd = await startDockerd()
    await dockerd.docker(['pull', '--quiet', base])
    return dockerd
  }
  const rounds = new Rounds(start)
  return {
    name: 'BuildKit',
    reset: () => rounds.next(),
    build: async (context) => {
      await (await rounds.current()).build(['-t', 'bench:latest', context])
    },
    [Symbol.asyncDispose]: () => rounds[Symbol.asyncDispose](),
  }
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
