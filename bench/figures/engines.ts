import { join } from 'node:path'
import {
  type Engine,
  startDockerEngine,
  startRootEngine,
} from '../../test/engine/clients/support/engine.ts'
import { findPeers, run, unpackPeers } from '../../test/support/peers/index.ts'
import { median } from '../measure/statistics.ts'
import { type Participant, takeTurns } from '../measure/turns.ts'
import { milliseconds } from '../report/times.ts'

const ROUNDS = 7
const MANY = Array.from({ length: 20 }, (_, index) => `many${index}`)

/**
 * Compares `tsbuild serve` with today's dockerd: the same docker command, image and networks of their own, by turns.
 * Needs the peers (`findPeers`).
 */
export async function engineFigures(): Promise<string> {
  const peers = findPeers()
  if (peers === undefined) throw new Error('there is no dockerd to compare with: see findPeers')
  const programs = await unpackPeers(peers)
  await using stack = new AsyncDisposableStack()
  const engines = [
    stack.use(await startRootEngine()),
    stack.use(await startDockerEngine({ programs })),
  ]
  const docker = async (engine: Engine, words: readonly string[]): Promise<void> => {
    const config = engine.site.directory.file('client')
    const env = { DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: config }
    await run(join(programs, 'docker'), words, { env, timeoutMs: 120_000 })
  }
  for (const engine of engines) {
    await docker(engine, ['run', '-d', '--name', 'entered', 'busybox', 'sleep', '100000'])
  }
  const rows: string[] = []
  for (const { name, before, perform } of casesOf(docker)) {
    const participants = engines.map(
      (engine): Participant => ({
        name: engine.name,
        before: () => before(engine),
        perform: () => perform(engine),
      }),
    )
    const samples = await takeTurns(participants, ROUNDS)
    const [ours = 0, theirs = 0] = engines.map((one) => median(samples.get(one.name) ?? []))
    const ratio = (theirs / ours).toFixed(1)
    rows.push(`| ${name} | ${milliseconds(ours)} | ${milliseconds(theirs)} | ${ratio} |`)
  }
  const head = '| the same docker command | tsbuild | dockerd | dockerd : tsbuild |'
  return [head, '|---|--:|--:|--:|', ...rows].join('\n')
}

interface EngineCase {
  readonly name: string
  readonly before: (engine: Engine) => Promise<void>
  readonly perform: (engine: Engine) => Promise<void>
}

function casesOf(
  docker: (engine: Engine, words: readonly string[]) => Promise<void>,
): readonly EngineCase[] {
  const nothing = async (): Promise<void> => undefined
  const create = async (engine: Engine): Promise<void> => {
    for (const name of MANY) {
      await docker(engine, ['create', '--name', name, 'busybox', 'sleep', '100000'])
    }
  }
  const remove = (engine: Engine): Promise<void> => docker(engine, ['rm', '-f', ...MANY])
  return [
    {
      name: 'run --rm busybox true',
      before: nothing,
      perform: (engine) => docker(engine, ['run', '--rm', 'busybox', 'true']),
    },
    {
      name: 'exec entered true',
      before: nothing,
      perform: (engine) => docker(engine, ['exec', 'entered', 'true']),
    },
    { name: 'ps', before: nothing, perform: (engine) => docker(engine, ['ps']) },
    {
      name: 'start of 20 containers',
      before: async (engine) => {
        await remove(engine)
        await create(engine)
      },
      perform: (engine) => docker(engine, ['start', ...MANY]),
    },
  ]
}
