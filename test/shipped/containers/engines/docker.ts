import {
  capture,
  createUser,
  type DockerdOptions,
  startDockerd,
  unpackPeers,
} from '../../../support/peers/index.ts'
import type { Engine } from './engine.ts'
import { privilegedOptions } from './privileged.ts'

/** Debian's docker. */
export async function startDocker(): Promise<Engine> {
  return await start('docker', {})
}

/** The docker of today. @param folder what `findPeers` gave */
export async function startTodaysDocker(folder: string): Promise<Engine> {
  return await start('docker of today', { programs: await unpackPeers(folder) })
}

/** Debian's docker with `userns-remap`: the root of a container is a user of the machine. */
export async function startRemappedDocker(): Promise<Engine> {
  await using stack = new AsyncDisposableStack()
  const user = stack.use(await createUser())
  const engine = stack.use(await start('docker with userns-remap', { remap: user.name }))
  const started = stack.move()
  return { ...engine, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

async function start(name: string, options: DockerdOptions): Promise<Engine> {
  const dockerd = await startDockerd(options)
  const env = { DOCKER_HOST: `unix://${dockerd.socket}` }
  return {
    name,
    env,
    options: [],
    privileged: options.programs === undefined ? privilegedOptions() : ['--privileged'],
    call: (args) => capture('/usr/bin/docker', args, { env }),
    [Symbol.asyncDispose]: () => dockerd[Symbol.asyncDispose](),
  }
}
