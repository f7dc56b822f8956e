import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { readRuntimeConfig } from './image.ts'
import { run, startDaemon } from './process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

interface RuntimeConfig {
  process: { terminal?: boolean; env: string[] }
  linux: { namespaces: { type: string }[] }
}

/** A container that runs an image's own command on the host's network; ends with `await using`. */
export interface Container extends AsyncDisposable {
  readonly pid: number
  /** Runs another program in it, as the image's user, and returns what it wrote. */
  exec(args: readonly string[]): Promise<string>
}

/**
 * Starts the bundle that `readImage` made with runc and waits until `ready` answers something.
 * @param env added to the image's environment
 */
export async function startContainer(
  bundle: string,
  env: Readonly<Record<string, string>>,
  ready: () => Promise<string | undefined>,
): Promise<Container> {
  const config = readRuntimeConfig(bundle) as unknown as RuntimeConfig
  config.process.terminal = false
  config.process.env.push(...Object.entries(env).map(([name, value]) => `${name}=${value}`))
  config.linux.namespaces = config.linux.namespaces.filter(({ type }) => type !== 'network')
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
  const directory = temporaryDirectory('runc')
  const id = directory.path.replaceAll('/', '-').slice(1)
  const state = ['--root', directory.file('state')]
  const daemon = await startDaemon('runc', [...state, 'run', '--bundle', bundle, id], {
    log: directory.file('log'),
    ready,
  })
  return {
    pid: daemon.pid,
    exec: async (args) => (await run('runc', [...state, 'exec', id, ...args])).stdout,
    [Symbol.asyncDispose]: async () => {
      // The process of a container that is killed through runc takes everything with it.
      await run('runc', [...state, 'kill', id, 'KILL'])
      await daemon[Symbol.asyncDispose]()
      directory[Symbol.dispose]()
    },
  }
}

/** A TCP port of the loopback interface that nothing listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return address.port
}
