import { join } from 'node:path'
import { testedHere } from '../../test/e2e/support/installed.ts'
import {
  busyboxBase,
  findPeers,
  run,
  startDaemon,
  startDockerd,
  temporaryDirectory,
  unpackPeers,
} from '../../test/support/peers/index.ts'
import { median } from '../measure/statistics.ts'
import { type Participant, takeTurns } from '../measure/turns.ts'
import { milliseconds } from '../report/times.ts'

/** An engine that the same docker client drives. */
interface Engine {
  readonly name: string
  readonly socket: string
}

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
  const directory = temporaryDirectory('engines')
  stack.defer(() => directory[Symbol.dispose]())
  const archive = directory.file('busybox.tar')
  const source = `oci:${await busyboxBase()}:latest`
  const target = `docker-archive:${archive}:busybox:latest`
  await run('skopeo', ['--insecure-policy', 'copy', '--quiet', source, target])
  const engines = [
    await startTsbuild(stack, directory.file('tsbuild')),
    await startDocker(stack, programs, directory.file('dockerd')),
  ]
  const docker = async (engine: Engine, words: readonly string[]): Promise<void> => {
    const env = { DOCKER_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: directory.path }
    await run(join(programs, 'docker'), words, { env, timeoutMs: 120_000 })
  }
  for (const engine of engines) {
    await docker(engine, ['load', '-q', '-i', archive])
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

/** A network namespace in which an engine makes its bridges and rules; it ends with the stack. */
async function ownNetwork(stack: AsyncDisposableStack, log: string): Promise<string> {
  const script = 'ip link set lo up; echo ready; exec sleep infinity'
  const holder = stack.use(
    await startDaemon('unshare', ['--net', 'sh', '-ec', script], {
      log,
      ready: (text) => (text.includes('ready') ? 'ready' : undefined),
    }),
  )
  return `/proc/${holder.pid}/ns/net`
}

async function startTsbuild(stack: AsyncDisposableStack, path: string): Promise<Engine> {
  const network = await ownNetwork(stack, `${path}.network`)
  const socket = `${path}.sock`
  const program = [`--net=${network}`, ...testedHere().command, 'serve']
  const places = ['--root', path, '--host', `unix://${socket}`]
  const isReady = async (): Promise<string | undefined> => {
    const asked = await run('curl', ['-sf', '--unix-socket', socket, 'http://x/_ping']).catch(
      () => undefined,
    )
    return asked === undefined ? undefined : socket
  }
  stack.use(
    await startDaemon('nsenter', [...program, ...places], {
      env: { HOME: `${path}.home` },
      log: `${path}.log`,
      ready: isReady,
    }),
  )
  return { name: 'tsbuild', socket }
}

async function startDocker(
  stack: AsyncDisposableStack,
  programs: string,
  path: string,
): Promise<Engine> {
  const network = await ownNetwork(stack, `${path}.network`)
  const { socket } = stack.use(await startDockerd({ programs, network }))
  return { name: 'dockerd', socket }
}
