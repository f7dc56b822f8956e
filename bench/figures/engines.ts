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

/** Commands of a moment are timed so many in a row: a shell starts them faster than Node does, and so evenly. */
const IN_A_ROW = 10
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
  const shell = async (engine: Engine, script: string): Promise<void> => {
    const env = {
      PATH: `${programs}:${process.env.PATH ?? ''}`,
      DOCKER_HOST: `unix://${engine.socket}`,
      DOCKER_CONFIG: engine.site.directory.file('client'),
    }
    await run('/bin/sh', ['-ec', script], { env, timeoutMs: 120_000 })
  }
  for (const engine of engines) {
    await shell(engine, 'docker run -d --name entered busybox sleep 100000')
  }
  const rows: string[] = []
  for (const { name, before, script, times } of casesOf(shell)) {
    const participants = engines.map(
      (engine): Participant => ({
        name: engine.name,
        before: () => before(engine),
        perform: () => shell(engine, script),
      }),
    )
    const samples = await takeTurns(participants, ROUNDS)
    const [ours = 0, theirs = 0] = engines.map((one) => median(samples.get(one.name) ?? []) / times)
    const ratio = (theirs / ours).toFixed(1)
    rows.push(`| ${name} | ${milliseconds(ours)} | ${milliseconds(theirs)} | ${ratio} |`)
  }
  const head = '| the same docker command | tsbuild | dockerd | dockerd : tsbuild |'
  return [head, '|---|--:|--:|--:|', ...rows].join('\n')
}

interface EngineCase {
  readonly name: string
  readonly before: (engine: Engine) => Promise<void>
  readonly script: string
  /** How often the script does what is measured. */
  readonly times: number
}

function casesOf(shell: (engine: Engine, script: string) => Promise<void>): readonly EngineCase[] {
  const nothing = async (): Promise<void> => undefined
  const many = MANY.join(' ')
  const inARow = (words: string): EngineCase => {
    const script = Array<string>(IN_A_ROW).fill(`docker ${words} >/dev/null`).join('\n')
    return { name: words, before: nothing, script, times: IN_A_ROW }
  }
  return [
    inARow('run --rm busybox true'),
    inARow('exec entered true'),
    inARow('ps'),
    {
      name: 'start of 20 containers',
      before: (engine) =>
        shell(
          engine,
          `
            docker rm -f ${many} >/dev/null
            for name in ${many}; do docker create --name $name busybox sleep 100000; done
          `,
        ),
      script: `docker start ${many}`,
      times: 1,
    },
  ]
}
