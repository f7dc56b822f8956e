import { startDaemon, temporaryDirectory } from '../../test/support/peers/index.ts'
import type { Builder } from './builder.ts'

/** What a builder sees as its host: a network, and folders in which programs keep what they know of networks. */
export interface OwnHost {
  /** Words before a command, which start it there. */
  readonly enter: readonly string[]
  /** The path of its network namespace. */
  readonly network: string
}

/**
 * Starts a builder on a host of its own, so that it finds no bridge, link or rule of another one. Those that it
 * makes go with the host, however the run ends. The host has a default route, but its link leads nowhere:
 * nothing leaves this machine. Needs root.
 * @param serve gives the network of a process what the builder needs of this machine
 */
export async function onOwnHost(
  start: (host: OwnHost) => Promise<Builder>,
  serve: (pid: number) => Promise<AsyncDisposable>,
): Promise<Builder> {
  await using starting = new AsyncDisposableStack()
  const directory = starting.use(temporaryDirectory('host'))
  const { pid } = starting.use(
    await startDaemon('unshare', [...NAMESPACES, 'sh', '-ec', SCRIPT], {
      log: directory.file('log'),
      ready: (log) => /^ready$/m.exec(log)?.[0],
    }),
  )
  starting.use(await serve(pid))
  const [network, mounts] = [`/proc/${pid}/ns/net`, `/proc/${pid}/ns/mnt`]
  const enter = ['nsenter', `--net=${network}`, `--mount=${mounts}`]
  const builder = starting.use(await start({ enter, network }))
  const started = starting.move()
  return { ...builder, [Symbol.asyncDispose]: () => started.disposeAsync() }
}

/** What is unmounted on this machine has to be unmounted there, too. */
const NAMESPACES = ['--net', '--mount', '--propagation', 'slave']

/**
 * In /run are sockets of daemons that change firewalls and the locks of those who do, in /var/lib is the list of
 * addresses that CNI has given away. A new namespace may begin with the forwarding of the machine.
 */
const SCRIPT = `
  mount -t tmpfs tmpfs /run
  mount -t tmpfs tmpfs /var/lib
  echo 0 > /proc/sys/net/ipv4/conf/all/forwarding
  ip link set lo up
  ip link add eth0 type veth peer name nowhere
  ip address add 203.0.113.2/24 dev eth0
  ip link set eth0 up
  ip link set nowhere up
  ip route add default via 203.0.113.1
  echo ready
  exec sleep infinity
`
