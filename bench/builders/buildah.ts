import { startBuildah as startPeer } from '../../test/support/peers/index.ts'
import type { Builder } from './builder.ts'
import type { OwnHost } from './own-host.ts'
import { Rounds } from './rounds.ts'

/** @param host where steps get isolated networks; without it, they have that of this machine */
export async function startBuildah(host?: OwnHost): Promise<Builder> {
  const options = host === undefined ? {} : { enter: host.enter, network: 'private' as const }
  const rounds = new Rounds(() => startPeer(options))
  return {
    name: 'buildah',
    reset: async (bases) => {
      const peer = await rounds.next()
      for (const { name } of bases) await peer.pull(`docker://${name}`)
    },
    build: async (context, { noCache, pulled, pushed, archive, compression = 'gzip' } = {}) => {
      const peer = rounds.current()
      if (pulled !== undefined) await peer.pull(`docker://${pulled}`)
      await peer.build(['-t', 'bench:latest', ...(noCache === true ? ['--no-cache'] : []), context])
      const packed = ['--compression-format', compression]
      if (pushed !== undefined) await peer.push('bench:latest', `docker://${pushed}`, packed)
      if (archive !== undefined) await peer.push('bench:latest', `oci-archive:${archive}`, packed)
    },
    [Symbol.asyncDispose]: () => rounds[Symbol.asyncDispose](),
  }
}
