import { join } from 'node:path'
import {
  findPeers,
  run,
  startBuildkitd,
  startDockerd,
  unpackPeers,
} from '../../test/support/peers/index.ts'
import type { Base, Builder, BuildWish } from './builder.ts'
import { Rounds } from './rounds.ts'

/** A storage of BuildKit, with its daemon. */
interface Daemon extends AsyncDisposable {
  fetch(base: Base): Promise<void>
  build(context: string, wish: BuildWish): Promise<void>
}

/** The newest one where it is (see `findPeers`), docker.io's otherwise. */
export async function startBuildKit(): Promise<Builder> {
  const peers = findPeers()
  const rounds = new Rounds(peers === undefined ? dockerIo : newest(await unpackPeers(peers)))
  return {
    name: 'BuildKit',
    reset: async (bases) => {
      const daemon = await rounds.next()
      for (const base of bases) await daemon.fetch(base)
    },
    build: (context, wish = {}) => rounds.current().build(context, wish),
    [Symbol.asyncDispose]: () => rounds[Symbol.asyncDispose](),
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

function newest(programs: string): () => Promise<Daemon> {
  return async () => {
    const buildkitd = await startBuildkitd(programs)
    const build = async (context: string, wish: BuildWish): Promise<void> => {
      const flags = ['--output', outputOf(wish), ...(wish.noCache === true ? ['--no-cache'] : [])]
      await buildkitd.build(context, flags)
    }
    return {
      fetch: (base) => build(base.prime, {}),
      build,
      [Symbol.asyncDispose]: () => buildkitd[Symbol.asyncDispose](),
    }
  }
}

function outputOf({ pushed, archive, compression = 'gzip' }: BuildWish): string {
  // Otherwise it would send the layers that it has kept uncompressed as they are.
  const packed = `compression=${compression},force-compression=true,oci-mediatypes=true`
  if (pushed !== undefined) return `type=image,name=${pushed},push=true,${packed}`
  if (archive !== undefined) return `type=oci,dest=${archive},${packed}`
  // Like the others, it keeps the image and compresses nothing.
  return 'type=image,name=bench,compression=uncompressed'
}

async function dockerIo(): Promise<Daemon> {
  const dockerd = await startDockerd()
  return {
    fetch: async (base) => void (await dockerd.docker(['pull', '--quiet', base.name])),
    build: async (context, { noCache, archive, pushed = 'bench:latest' }) => {
      await dockerd.build(['-t', pushed, ...(noCache === true ? ['--no-cache'] : []), context])
      if (pushed !== 'bench:latest') await dockerd.docker(['push', '--quiet', pushed])
      if (archive !== undefined) await dockerd.docker(['save', '--output', archive, pushed])
    },
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  }
}
