import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
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
  /** Forgets everything but the base image, which is fetched and unpacked. */
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
  const root = directory.file('tsbuild')
  // The home stays: it holds the code cache that Node.js keeps for every program.
  const env = { TSBUILD_ROOT: root, HOME: directory.file('home') }
  const build = async (context: string): Promise<void> => {
    const flags = ['--network', 'host', '--progress', 'plain', '-t', 'bench:latest']
    await run(process.execPath, [CLI, ...flags, context], { env })
  }
  return {
    name: 'tsbuild',
    reset: async () => {
      rmSync(root, { recursive: true, force: true })
      await build(prime)
    },
    build,
    [Symbol.asyncDispose]: async () => rmSync(root, { recursive: true, force: true }),
  }
}

async function buildKit({ base }: Bench): Promise<Builder> {
  const dockerd = await startDockerd()
  await dockerd.docker(['pull', '--quiet', base])
  return {
    name: 'BuildKit',
    reset: async () => {
      await dockerd.docker(['rmi', '--force', 'bench:latest'])
      await dockerd.docker(['builder', 'prune', '--all', '--force'])
    },
    build: async (context) => void (await dockerd.build(['-t', 'bench:latest', context])),
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  }
}

async function buildah({ base }: Bench): Promise<Builder> {
  const peer = await startBuildah()
  return {
    name: 'buildah',
    reset: async () => {
      await peer.reset()
      await peer.pull(`docker://${base}`)
    },
    build: async (context) => void (await peer.build(['-t', 'bench:latest', context])),
    [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
  }
}
