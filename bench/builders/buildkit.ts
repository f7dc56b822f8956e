import { join } from 'node:path'
import {
  findPeers,
  run,
  startBuildkitd,
  startDockerd,
  unpackPeers,
} from '../../test/support/peers/index.ts'
import type { Base, Builder, BuildWish } from './builder.ts'
import type { OwnHost } from './own-host.ts'
import { Rounds } from './rounds.ts'

/** A storage of BuildKit, with its daemon. */
interface Daemon extends AsyncDisposable {
  fetch(base: Base): Promise<void>
  build(context: string, wish: BuildWish): Promise<void>
}

/**
 * The newest one where it is (see `findPeers`), docker.io's otherwise.
 * @param host where steps get isolated networks; without it, they have that of this machine
 */
export async function startBuildKit(host?: OwnHost): Promise<Builder> {
  const peers = findPeers()
  const start = peers === undefined ? dockerIo(host) : newest(await unpackPeers(peers), host)
  const rounds = new Rounds(start)
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

function newest(programs: string, host?: OwnHost): () => Promise<Daemon> {
  const options = host === undefined ? {} : { ...BRIDGE, enter: host.enter }
  return async () => {
    const buildkitd = await startBuildkitd(programs, options)
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

/**
 * A used network is kept for the next step, so steps in a row need one. It is made before the first build;
 * more of them make no build faster.
 */
const BRIDGE = { network: 'bridge', networkPool: 1 }

function outputOf({ pushed, archive, compression = 'gzip' }: BuildWish): string {
  // Otherwise it would send the layers that it has kept uncompressed as they are.
  const packed = `compression=${compression},force-compression=true,oci-mediatypes=true`
  if (pushed !== undefined) return `type=image,name=${pushed},push=true,${packed}`
  if (archive !== undefined) return `type=oci,dest=${archive},${packed}`
  // Like the others, it keeps the image and compresses nothing.
  return 'type=image,name=bench,compression=uncompressed'
}

function dockerIo(host?: OwnHost): () => Promise<Daemon> {
  const options = host === undefined ? {} : { network: host.network }
  const network = host === undefined ? 'host' : 'default'
  return async () => {
    const dockerd = await startDockerd(options)
    return {
      fetch: async (base) => void (await dockerd.docker(['pull', '--quiet', base.name])),
      build: async (context, { noCache, archive, pushed = 'bench:latest' }) => {
        const flags = ['--network', network, ...(noCache === true ? ['--no-cache'] : [])]
        await dockerd.docker(['build', '-t', pushed, ...flags, context])
        if (pushed !== 'bench:latest') await dockerd.docker(['push', '--quiet', pushed])
        if (archive !== undefined) await dockerd.docker(['save', '--output', archive, pushed])
      },
      [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
    }
  }
}
