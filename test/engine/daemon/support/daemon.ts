import { readFileSync, writeFileSync } from 'node:fs'
import { startServe } from '../../../e2e/support/serve.ts'
import { mustBuild } from '../../../e2e/support/tsbuild.ts'
import { ownNetwork } from '../../../support/networks/index.ts'
import { busyboxBase, type Daemon, run, temporaryDirectory } from '../../../support/peers/index.ts'

/** A network namespace and a store with the image `busybox`, in which daemons run one after the other. */
export interface DaemonPlace extends AsyncDisposable {
  readonly socket: string
  readonly root: string
  /** What a daemon has said last. */
  log(): string
  /** Words before a command that run it in the namespace. */
  readonly enter: readonly string[]
  /** @returns when it answers */
  start(): Promise<Daemon>
}

/** Needs root. */
export async function daemonPlace(): Promise<DaemonPlace> {
  await using stack = new AsyncDisposableStack()
  const directory = temporaryDirectory('daemon')
  stack.defer(() => directory[Symbol.dispose]())
  const { enter } = stack.use(await ownNetwork(directory.file('holder.log')))
  const root = directory.file('store')
  writeFileSync(directory.file('Dockerfile'), 'FROM base\n')
  const base = `base=oci-layout://${await busyboxBase()}:latest`
  await mustBuild(['build', '-t', 'busybox', '--build-context', base, directory.path], { root })
  const socket = directory.file('engine.sock')
  const log = directory.file('serve.log')
  const start = () => startServe({ root, socket, log, prefix: enter })
  const owned = stack.move()
  return {
    ...{ socket, root, enter, start, log: () => readFileSync(log, 'utf8') },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Names of the links in a place. */
export async function linksIn({ enter }: DaemonPlace): Promise<readonly string[]> {
  const [command = '', ...words] = [...enter, 'ip', '-o', 'link']
  const { stdout } = await run(command, words)
  return [...stdout.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name = '']) => name)
}
