import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import PQueue from 'p-queue'
import { type Dockerd, run, startDockerd } from '../../peers/index.ts'
import type { Delivery, Order, Way } from './way.ts'

const PROGRAM = fileURLToPath(new URL('container-program.js', import.meta.url))
const PROJECT = fileURLToPath(new URL('../../../../../', import.meta.url))

/**
 * Builds in place in one container with docker's default rights, one build after the other.
 * @param folder everything that builds name lies in it
 */
export async function inContainer(folder: string): Promise<Way> {
  await using resources = new AsyncDisposableStack()
  const dockerd = resources.use(await startDockerd())
  const worker = resources.use(startWorker(dockerd, await projectImage(dockerd, folder), folder))
  const kept = resources.move()
  return {
    build: (order) => worker.ask(order),
    [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose](),
  }
}

/** Builds the image of the repository, gives it to the daemon, and returns its name there. */
async function projectImage(dockerd: Dockerd, folder: string): Promise<string> {
  const archive = join(folder, 'tsbuild.tar')
  await run(process.execPath, [join(PROJECT, 'dist/shipped/image/main.js'), '--output', archive])
  const { stdout } = await dockerd.docker(['load', '--quiet', '--input', archive])
  return /^Loaded image(?: ID)?: (\S+)$/m.exec(stdout)?.[1] ?? ''
}

interface Worker extends AsyncDisposable {
  ask(order: Order): Promise<Delivery>
}

function startWorker({ socket }: Dockerd, image: string, folder: string): Worker {
  const volumes = ['-v', `${folder}:${folder}`, '-v', `${PROJECT}:${PROJECT}:ro`]
  const command = ['--entrypoint', '/tsbuild/bin/node', image, PROGRAM]
  const args = ['run', '--rm', '--interactive', '--network=host', ...volumes, ...command]
  const child = spawn('/usr/bin/docker', ['--host', `unix://${socket}`, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const queue = new PQueue({ concurrency: 1 })
  return {
    ask: (order) =>
      queue.add(async () => {
        child.stdin.write(`${JSON.stringify(order)}\n`)
        const { value, done } = await answers.next()
        if (done === true) throw new Error('the container ended')
        return JSON.parse(value)
      }),
    [Symbol.asyncDispose]: async () => {
      const closed = once(child, 'close')
      child.stdin.end()
      await closed
    },
  }
}
