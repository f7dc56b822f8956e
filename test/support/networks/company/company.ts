import { writeFileSync } from 'node:fs'
import { run, startDaemon, type TemporaryDirectory, temporaryDirectory } from '../../peers/index.ts'

type Daemon = Awaited<ReturnType<typeof startDaemon>>

/** Where servers of the outside are, by address and by names that only the gateway and the outside know. */
export const OUTSIDE = '10.99.0.2'
/** Where proxies are, for the inside. */
export const GATEWAY = '10.98.0.1'
const NAMES = 'registry.corp.test mirror.corp.test files.corp.test'

/**
 * Three network namespaces in a row: from the inside only the gateway can be reached, which forwards nothing. What
 * runs on it is the only way out. Needs root.
 */
export interface Company extends AsyncDisposable {
  readonly directory: TemporaryDirectory
  /** Words in front of a command that run it there. */
  readonly inside: readonly string[]
  readonly gateway: readonly string[]
  readonly outside: readonly string[]
}

export async function startCompany(): Promise<Company> {
  await using stack = new AsyncDisposableStack()
  const directory = temporaryDirectory('company', 0o755)
  stack.defer(() => directory[Symbol.dispose]())
  const [inside, gateway, outside] = [
    stack.use(await startNamespace(directory.file('inside.log'))),
    stack.use(await startNamespace(directory.file('gateway.log'))),
    stack.use(await startNamespace(directory.file('outside.log'))),
  ]
  await link([inside, '10.98.0.2'], [gateway, GATEWAY])
  await link([gateway, '10.99.0.1'], [outside, OUTSIDE])
  const hosts = directory.file('hosts')
  writeFileSync(hosts, `127.0.0.1 localhost\n${OUTSIDE} ${NAMES}\n`)
  const withNames = ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"']
  const owned = stack.move()
  return {
    directory,
    inside: enter(inside),
    gateway: [...enter(gateway), ...withNames, hosts],
    outside: [...enter(outside), ...withNames, hosts],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function enter({ pid }: Daemon): readonly string[] {
  return ['nsenter', `--net=/proc/${pid}/ns/net`]
}

async function startNamespace(log: string): Promise<Daemon> {
  const script = 'ip link set lo up && echo ready && exec sleep infinity'
  return await startDaemon('unshare', ['--net', 'sh', '-c', script], {
    log,
    ready: (text) => (text.includes('ready') ? 'ready' : undefined),
  })
}

async function link(
  [one, oneAddress]: readonly [Daemon, string],
  [other, otherAddress]: readonly [Daemon, string],
): Promise<void> {
  const [oneEnd, otherEnd] = ['right', 'left']
  const ends = [oneEnd, 'netns', `${one.pid}`, 'type', 'veth', 'peer', 'name', otherEnd]
  await run('ip', ['link', 'add', ...ends, 'netns', `${other.pid}`])
  for (const [daemon, end, address] of [
    [one, oneEnd, oneAddress],
    [other, otherEnd, otherAddress],
  ] as const) {
    const [command = '', ...rest] = [...enter(daemon), 'ip']
    await run(command, [...rest, 'address', 'add', `${address}/24`, 'dev', end])
    await run(command, [...rest, 'link', 'set', end, 'up'])
  }
}
