import { readFileSync } from 'node:fs'
import {
  findPeers,
  startBuildkitd,
  startDockerd,
  temporaryDirectory,
  unpackPeers,
} from '../peers/index.ts'

/** A builder whose steps are the measure. */
export interface Witness extends AsyncDisposable {
  /** `today` or `docker.io`. */
  readonly name: string
  /** Builds the probe's context without a network. @returns what the step of user `who` wrote */
  probe(context: string, who: number): Promise<string>
}

/** Today's BuildKit where this machine has it, otherwise the one of docker.io. */
export async function startWitness(): Promise<Witness> {
  const peers = findPeers()
  return peers === undefined ? await startDocker() : await startToday(await unpackPeers(peers))
}

async function startToday(programs: string): Promise<Witness> {
  const buildkitd = await startBuildkitd(programs)
  return {
    name: 'today',
    probe: async (context, who) => {
      using out = temporaryDirectory('witness')
      await buildkitd.build(context, [
        ...['--opt', `build-arg:WHO=${who}`, '--opt', 'force-network-mode=none'],
        ...['--output', `type=local,dest=${out.path}`],
      ])
      return readFileSync(out.file('facts'), 'utf8')
    },
    [Symbol.asyncDispose]: () => buildkitd[Symbol.asyncDispose](),
  }
}

async function startDocker(): Promise<Witness> {
  const dockerd = await startDockerd()
  return {
    name: 'docker.io',
    probe: async (context, who) => {
      using out = temporaryDirectory('witness')
      const flags = ['--network=none', `--build-arg=WHO=${who}`, `--output=${out.path}`]
      await dockerd.docker(['build', ...flags, context])
      return readFileSync(out.file('facts'), 'utf8')
    },
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  }
}
