import { fileURLToPath } from 'node:url'
import { capture, type Outcome, run, startDaemon, temporaryDirectory } from '../../peers/index.ts'

type Daemon = Awaited<ReturnType<typeof startDaemon>>

/** Addresses of the host in the lab, and of what stands for the world. */
export const HOST = { version4: '203.0.113.2', version6: '2001:db8::2', other: '198.51.100.1' }
export const WORLD = { version4: '203.0.113.1', version6: '2001:db8::1' }
/** A machine in another network of the host, which the world should not reach through it. */
export const NEIGHBOUR = '198.51.100.2'
/** The same by a link as those to the containers of a host. */
export const CONTAINER = '192.0.2.2'

/** Where servers in the lab say which host they are on. */
const GREETING_PORT = 8080

/**
 * Network namespaces that stand for a host, the world behind its link `eth0`, and a neighbour behind `eth1`.
 * The host forwards nothing. Nothing outside of them is touched. Needs root.
 */
export interface Lab extends AsyncDisposable {
  readonly directory: ReturnType<typeof temporaryDirectory>
  /** Runs a program on a host of the lab. */
  on(host: LabHost, words: readonly string[]): Promise<Outcome>
  /** The same; it must not fail. @returns what it writes */
  must(host: LabHost, words: readonly string[]): Promise<string>
  /** The path of its network namespace. */
  path(host: LabHost): string
  /** Starts a program on a host; it is ready when it writes a line `ready …`. */
  start(host: LabHost, words: readonly string[]): Promise<Daemon>
  /** Lets a host say its name on the port of `at`, and on others; those with an @ are abstract sockets. */
  greet(host: LabHost, ...ports: readonly string[]): Promise<AsyncDisposable>
  /** Starts a name server on a host, which says that `known.test` is at `known`. */
  serveNames(host: LabHost, address: string, known: string): Promise<AsyncDisposable>
  /** Connects from a host to targets (`[address]:port`, or an abstract name). @returns what they say, or `failed: …` */
  reach(from: LabHost, targets: readonly string[]): Promise<readonly string[]>
  /** The addresses of a host that others could reach. */
  addressesOf(host: LabHost): Promise<readonly string[]>
}

/** A target of `Lab.reach`. */
export function at(address: string, port: number = GREETING_PORT): string {
  return `[${address}]:${port}`
}

/** A host by its name; others by the path of their namespace. */
export type LabHost = 'host' | 'world' | 'neighbour' | `/proc/${string}`

export async function startLab(): Promise<Lab> {
  await using stack = new AsyncDisposableStack()
  const directory = temporaryDirectory('lab', 0o755)
  stack.defer(() => directory[Symbol.dispose]())
  let logs = 0
  const start = async (words: readonly string[]): Promise<Daemon> => {
    const [command = '', ...args] = words
    return await startDaemon(command, args, {
      log: directory.file(`log-${logs++}`),
      ready: (text) => /^ready .*$/m.exec(text)?.[0].slice('ready '.length),
    })
  }
  const holder = ['unshare', '--net', 'sh', '-c', 'echo ready to be entered; exec sleep infinity']
  const [host, world, neighbour] = [
    stack.use(await start(holder)),
    stack.use(await start(holder)),
    stack.use(await start(holder)),
  ]
  const paths = { host: net(host), world: net(world), neighbour: net(neighbour) }
  const path = (name: LabHost): string => {
    return name in paths ? paths[name as keyof typeof paths] : name
  }
  const enter = (name: LabHost): readonly string[] => ['nsenter', `--net=${path(name)}`]
  const on: Lab['on'] = async (name, words) => {
    const [command = '', ...args] = [...enter(name), ...words]
    return await capture(command, args)
  }
  const must: Lab['must'] = async (name, words) => {
    const [command = '', ...args] = [...enter(name), ...words]
    return (await run(command, args)).stdout
  }
  await must('host', ['sh', '-ec', hostScript(world.pid, neighbour.pid)])
  await must('world', ['sh', '-ec', WORLD_SCRIPT])
  await must('neighbour', ['sh', '-ec', NEIGHBOUR_SCRIPT])
  const owned = stack.move()
  const startOn: Lab['start'] = async (name, words) =>
    owned.use(await start([...enter(name), ...words]))
  return {
    directory,
    on,
    must,
    path,
    start: startOn,
    greet: async (name, ...ports) => {
      const word = name in paths ? name : 'step'
      const all = [`${GREETING_PORT}`, ...ports]
      return await startOn(name, [process.execPath, GREETER, word, ...all])
    },
    serveNames: async (name, address, known) =>
      await startOn(name, [process.execPath, NAMES, address, known]),
    reach: async (from, targets) =>
      JSON.parse(await must(from, [process.execPath, REACH, ...targets])),
    addressesOf: async (name) => addressesIn(await must(name, LIST_ADDRESSES)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const GREETER = fileURLToPath(new URL('./greeter.js', import.meta.url))
const NAMES = fileURLToPath(new URL('./names.js', import.meta.url))
const REACH = fileURLToPath(new URL('./reach.js', import.meta.url))

const LIST_ADDRESSES = ['ip', '-j', 'address', 'show', 'scope', 'global']

/** What is of another scope is there as an empty object. */
function addressesIn(json: string): readonly string[] {
  const links: readonly { addr_info?: readonly { local?: string }[] }[] = JSON.parse(json)
  return links.flatMap(({ addr_info = [] }) => addr_info.flatMap(({ local }) => local ?? []))
}

function net({ pid }: Daemon): string {
  return `/proc/${pid}/ns/net`
}

/** New namespaces may begin with the settings of the machine. */
const FORWARD_NOTHING = 'for file in /proc/sys/net/ipv4/conf/*/forwarding; do echo 0 > $file; done'

function hostScript(world: number, neighbour: number): string {
  return `
    ${FORWARD_NOTHING}
    ip link set lo up
    ip link add eth0 type veth peer name eth0 netns ${world}
    ip link add inner type veth peer name eth0 netns ${neighbour}
    ip link set inner up
    ip address add 192.0.2.1/24 dev inner
    ip link add eth1 link inner type macvlan mode bridge
    ip address add ${HOST.version4}/24 dev eth0
    ip address add ${HOST.other}/24 dev eth1
    ip address add 169.254.1.1/32 dev eth0
    ip -6 address add ${HOST.version6}/64 dev eth0 nodad
    ip link set eth0 up
    ip link set eth1 up
    ip route add default via ${WORLD.version4}
    ip -6 route add default via ${WORLD.version6}
    echo 0 > /proc/sys/net/ipv4/conf/all/forwarding
  `
}

const WORLD_SCRIPT = `
  ip link set lo up
  ip address add ${WORLD.version4}/24 dev eth0
  ip address add 169.254.169.254/32 dev eth0
  ip -6 address add ${WORLD.version6}/64 dev eth0 nodad
  ip link set eth0 up
  ip route add 198.51.100.0/24 via ${HOST.version4}
`

const NEIGHBOUR_SCRIPT = `
  ip link set lo up
  ip address add ${NEIGHBOUR}/24 dev eth0
  ip address add ${CONTAINER}/24 dev eth0
  ip link set eth0 up
  ip route add default via ${HOST.other}
`
