import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { HubFacts } from '../support/hub-process.ts'
import {
  CONTAINER,
  GREETING_PORT,
  HOST,
  type Lab,
  type LabHost,
  NEIGHBOUR,
  startLab,
  WORLD,
} from '../support/lab.ts'

const PROCESS = fileURLToPath(new URL('../support/hub-process.js', import.meta.url))
const GREETER = fileURLToPath(new URL('../support/greeter.js', import.meta.url))
const REACH = fileURLToPath(new URL('../support/reach.js', import.meta.url))

describe('network: hubs', () => {
  let lab: Lab
  before(async () => {
    lab = await startLab()
    const greet = (host: LabHost, ...ports: readonly string[]) =>
      lab.start(host, [process.execPath, GREETER, host, `${GREETING_PORT}`, ...ports])
    await Promise.all([greet('host', '53', '@of-the-host'), greet('world'), greet('neighbour')])
  })
  after(() => lab[Symbol.asyncDispose]())

  beforeEach(() => untilDeepEqual(traces, NOTHING))

  const startHub = async (steps: number) => {
    const daemon = await lab.start('host', [process.execPath, PROCESS, `${steps}`])
    return { daemon, facts: JSON.parse(daemon.ready) as HubFacts }
  }

  const reach = async (from: LabHost, targets: readonly string[]): Promise<readonly string[]> =>
    JSON.parse(await lab.must(from, [process.execPath, REACH, ...targets]))

  const at = (address: string, port = GREETING_PORT): string => `[${address}]:${port}`

  const addressesOf = async (host: LabHost): Promise<readonly string[]> => {
    const links = JSON.parse(
      await lab.must(host, ['ip', '-j', 'address', 'show', 'scope', 'global']),
    )
    return links.flatMap(({ addr_info }: { addr_info: readonly { local: string }[] }) =>
      addr_info.map(({ local }) => local),
    )
  }

  /** What is there of hubs on the host. */
  const traces = async () => ({
    links: await lab.must('host', ['sh', '-c', 'ip -o link | grep tsbuild || true']),
    rules: await lab.must('host', ['nft', 'list', 'ruleset']),
    forwarding: await lab.must('host', ['sh', '-c', FORWARDING]),
  })

  it('connect steps to the world, and to nothing of the host', async () => {
    const { daemon, facts } = await startHub(2)
    await using _ = daemon
    const [step = NOWHERE, other = NOWHERE] = facts.steps
    const ports = ['53', `${GREETING_PORT}`]
    await using _step = await lab.start(other, [process.execPath, GREETER, 'step', ...ports])
    await using _hub = await lab.start(facts.hub, [process.execPath, GREETER, 'hub', ...ports])
    const world = [at(WORLD.version4), at(WORLD.version6), at(NEIGHBOUR)]
    assert.deepEqual(await reach(step, world), ['world', 'world', 'neighbour'])
    const resolver = facts.nameservers.map((address) => at(address, 53))
    assert.deepEqual(await reach(step, resolver), ['hub', 'hub'])
    const host = [at(HOST.version4), at(HOST.version6), at(HOST.other)]
    assert.deepEqual(await reach('host', [...host, at(CONTAINER), '@of-the-host']), [
      ...['host', 'host', 'host', 'neighbour', 'host'],
    ])
    const closed = [
      ...[...host, at(HOST.version4, 53), at('127.0.0.1'), at('::1'), '@of-the-host'],
      ...[at('169.254.1.1'), at('169.254.169.254'), at(CONTAINER), '@of-the-host'],
      ...[...(await addressesOf(other)), ...facts.nameservers].map((address) => at(address)),
      ...(await addressesOf(facts.hub)).map((address) => at(address)),
    ]
    assert.ok(closed.length > 16)
    for (const answer of await reach(step, closed)) assert.match(answer, /^failed: /)
  })

  it('are seen by ip and nft as they were meant', async () => {
    const { daemon, facts } = await startHub(1)
    await using _ = daemon
    const [step = NOWHERE] = facts.steps
    const [link] = JSON.parse(await lab.must(step, ['ip', '-j', '-d', 'address', 'show', 'eth0']))
    assert.deepEqual([link.operstate, link.mtu, link.linkinfo.info_kind], ['UP', 1500, 'veth'])
    assert.deepEqual(
      link.addr_info.map(({ family, prefixlen }: AddressInfo) => [family, prefixlen]),
      [
        ['inet', 32],
        ['inet6', 128],
      ],
    )
    const routes = [['-4'], ['-6']].map(async (version) =>
      JSON.parse(await lab.must(step, ['ip', '-j', ...version, 'route', 'show', 'default'])),
    )
    const gateways = (await Promise.all(routes)).map(([{ gateway }]) => gateway)
    assert.deepEqual(gateways, facts.nameservers)
    const rules = await lab.must(facts.hub, ['nft', '-s', 'list', 'ruleset'])
    for (const rule of HUB_RULES) assert.ok(rules.includes(rule), `${rule}\n${rules}`)
    const hostRules = await lab.must('host', ['nft', '-s', 'list', 'ruleset'])
    for (const rule of HOST_RULES) assert.ok(hostRules.includes(rule), `${rule}\n${hostRules}`)
  })

  it('drop what claims to come from another', async () => {
    const { daemon, facts } = await startHub(2)
    await using _ = daemon
    const [step = NOWHERE, other = NOWHERE] = facts.steps
    const [address = ''] = await addressesOf(other)
    const seen = async (): Promise<number> => {
      const text = await lab.must(facts.hub, [
        'nft',
        '-j',
        'list',
        'chain',
        'inet',
        'steps',
        'seen',
      ])
      return JSON.parse(text).nftables.at(-1).rule.expr.at(-1).counter.packets
    }
    const chain = 'chain inet steps seen { type filter hook forward priority -1; }'
    await lab.must(facts.hub, ['nft', `add ${chain}; add rule inet steps seen udp dport 9 counter`])
    const send = (source: string): Promise<string> => {
      return lab.must(step, ['python3', '-c', SEND, source, WORLD.version4])
    }
    await send('')
    assert.equal(await seen(), 1)
    await lab.must(step, ['ip', 'address', 'add', `${address}/32`, 'dev', 'eth0'])
    await send(address)
    assert.equal(await seen(), 1)
  })

  it('leave the host as it was, also when another one stays a little longer', async () => {
    const [first, second] = [await startHub(1), await startHub(1)]
    const both = await traces()
    assert.match(both.links, /tsbuild0.*tsbuild1/s)
    assert.match(both.forwarding, /ipv4\/conf\/eth0\/forwarding/)
    assert.doesNotMatch(both.forwarding, /conf\/(all|default|inner)\//)
    await first.daemon[Symbol.asyncDispose]()
    const [step = NOWHERE] = second.facts.steps
    assert.deepEqual(await reach(step, [at(WORLD.version4)]), ['world'])
    await second.daemon[Symbol.asyncDispose]()
    await untilDeepEqual(traces, NOTHING)
  })
})

const NOTHING = { links: '', rules: '', forwarding: '' }
const NOWHERE: LabHost = '/proc/nowhere'

interface AddressInfo {
  readonly family: string
  readonly prefixlen: number
}

/** Sends a datagram from one address to another. */
const SEND = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
s.sendto(b'x', (sys.argv[2], 9))
`

const HUB_RULES = [
  'fib saddr . iif oif 0 drop',
  'type nat hook postrouting priority srcnat; policy accept;',
  'oifname "out" masquerade',
  'oifname != "out" reject with icmpx admin-prohibited',
  'ip daddr 169.254.0.0/16 reject with icmpx admin-prohibited',
  'ip daddr 198.18.128.1 udp dport 53 accept',
  'ct state established,related accept',
]

const HOST_RULES = [
  'flags owner',
  'type filter hook prerouting priority raw; policy accept;',
  'iifname "tsbuild0" fib daddr type != unicast reject with icmpx admin-prohibited',
  'iifname "tsbuild0" oifname "eth0" accept',
  'oifname "tsbuild0" drop',
  'ip saddr 198.18.0.2 masquerade',
  'meta nfproto ipv4 iifname "eth0" drop comment "ipv4/conf/eth0/forwarding"',
]

const FORWARDING =
  'grep -H . /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv6/conf/*/*forwarding | grep -v ":0$" || true'

/** The kernel removes links some time after their namespace. */
async function untilDeepEqual<T>(look: () => Promise<T>, wanted: T): Promise<void> {
  for (let turn = 0; turn < 40; turn++) {
    try {
      assert.deepEqual(await look(), wanted)
      return
    } catch {
      await delay(50)
    }
  }
  assert.deepEqual(await look(), wanted)
}
