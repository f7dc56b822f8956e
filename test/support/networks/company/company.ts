import { writeFileSync } from 'node:fs'
import { run, type TemporaryDirectory, temporaryDirectory } from '../../peers/index.ts'
import { type OwnNetwork, ownNetwork } from '../own-network.ts'

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
    stack.use(await ownNetwork(directory.file('inside.log'))),
    stack.use(await ownNetwork(directory.file('gateway.log'))),
    stack.use(await ownNetwork(directory.file('outside.log'))),
  ]
  await link([inside, '10.98.0.2'], [gateway, GATEWAY])
  await link([gateway, '10.99.0.1'], [outside, OUTSIDE])
  const hosts = directory.file('hosts')
  writeFileSync(hosts, `127.0.0.1 localhost\n${OUTSIDE} ${NAMES}\n`)
  const withNames = ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"']
  const owned = stack.move()
  return {
    directory,
    inside: inside.enter,
    gateway: [...gateway.enter, ...withNames, hosts],
    outside: [...outside.enter, ...withNames, hosts],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function link(
  [one, oneAddress]: readonly [OwnNetwork, string],
  [other, otherAddress]: readonly [OwnNetwork, string],
): Promise<void> {
  const [oneEnd, otherEnd] = ['right', 'left']
  const ends = [oneEnd, 'netns', `${one.pid}`, 'type', 'veth', 'peer', 'name', otherEnd]
  await run('ip', ['link', 'add', ...ends, 'netns', `${other.pid}`])
  for (const [network, end, address] of [
    [one, oneEnd, oneAddress],
    [other, otherEnd, otherAddress],
  ] as const) {
    const [command = '', ...rest] = [...network.enter, 'ip']
    await run(command, [...rest, 'address', 'add', `${address}/24`, 'dev', end])
    await run(command, [...rest, 'link', 'set', end, 'up'])
  }
}
