import { readFileSync, writeFileSync } from 'node:fs'
import { testedHere } from '../../../e2e/support/installed.ts'
import { mustBuild } from '../../../e2e/support/tsbuild.ts'
import {
  busyboxBase,
  type Daemon,
  run,
  startDaemon,
  temporaryDirectory,
} from '../../../support/peers/index.ts'
import { ask } from '../../api/support/served-engine.ts'

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
  const script = 'ip link set lo up; echo ready; exec sleep infinity'
  const holder = await startDaemon('unshare', ['--net', 'sh', '-ec', script], {
    log: directory.file('holder.log'),
    ready: (log) => (log.includes('ready') ? 'ready' : undefined),
  })
  stack.use(holder)
  const root = directory.file('store')
  writeFileSync(directory.file('Dockerfile'), 'FROM base\n')
  const base = `base=oci-layout://${await busyboxBase()}:latest`
  await mustBuild(['build', '-t', 'busybox', '--build-context', base, directory.path], { root })
  const enter = ['nsenter', `--net=/proc/${holder.pid}/ns/net`]
  const socket = directory.file('engine.sock')
  const log = directory.file('serve.log')
  const start = async (): Promise<Daemon> => {
    const [command = '', ...words] = [...enter, ...testedHere().command, 'serve', '--root', root]
    return await startDaemon(command, [...words, '--host', `unix://${socket}`], {
      ...{ log, env: { HOME: directory.path } },
      ready: async () => ((await answers(socket)) ? socket : undefined),
    })
  }
  const owned = stack.move()
  return {
    ...{ socket, root, enter, start, log: () => readFileSync(log, 'utf8') },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function answers(socket: string): Promise<boolean> {
  try {
    return (await ask(socket, 'GET', '/_ping')).status === 200
  } catch {
    return false
  }
}

/** Names of the links in a place. */
export async function linksIn({ enter }: DaemonPlace): Promise<readonly string[]> {
  const [command = '', ...words] = [...enter, 'ip', '-o', 'link']
  const { stdout } = await run(command, words)
  return [...stdout.matchAll(/^\d+: ([^:@]+)/gm)].map(([, name = '']) => name)
}
