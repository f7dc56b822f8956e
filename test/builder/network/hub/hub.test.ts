import assert from 'node:assert/strict'
import {
  at,
  CONTAINER,
  HOST,
  type LabHost,
  NEIGHBOUR,
  WORLD,
} from '../../../support/networks/index.ts'
import { HubLab } from '../support/hub-lab.ts'

describe('network: hubs', () => {
  let hubs: HubLab
  before(async () => {
    hubs = await HubLab.start()
  })
  beforeEach(() => hubs.untilNothingIsLeft())
  after(() => hubs[Symbol.asyncDispose]())

  it('connect steps to the world, and to nothing of the host', async () => {
    await using hub = await hubs.open(2)
    const [step = NOWHERE, other = NOWHERE] = hub.facts.steps
    await using _step = await hubs.lab.greet(other, '53')
    await using _hub = await hubs.lab.greet(hub.facts.hub, '53')
    const world = [at(WORLD.version4), at(WORLD.version6), at(NEIGHBOUR)]
    assert.deepEqual(await hubs.lab.reach(step, world), ['world', 'world', 'neighbour'])
    const resolver = hub.facts.nameservers.map((address) => at(address, 53))
    assert.deepEqual(await hubs.lab.reach(step, resolver), ['step', 'step'])
    const host = [at(HOST.version4), at(HOST.version6), at(HOST.other)]
    assert.deepEqual(await hubs.lab.reach('host', [...host, at(CONTAINER), '@of-the-host']), [
      ...['host', 'host', 'host', 'neighbour', 'host'],
    ])
    const closed = [
      ...[...host, at(HOST.version4, 53), at('127.0.0.1'), at('::1'), '@of-the-host'],
      ...[at('169.254.1.1'), at('169.254.169.254'), at(CONTAINER), '@of-the-host'],
      ...[...(await hubs.lab.addressesOf(other)), ...hub.facts.nameservers].map((address) =>
        at(address),
      ),
      ...(await hubs.lab.addressesOf(hub.facts.hub)).map((address) => at(address)),
    ]
    assert.equal(closed.length, 19)
    for (const answer of await hubs.lab.reach(step, closed)) assert.match(answer, /^failed: /)
  })

  it('are seen by ip and nft as they were meant', async () => {
    await using hub = await hubs.open(1)
    const [step = NOWHERE] = hub.facts.steps
    const [link] = JSON.parse(
      await hubs.lab.must(step, ['ip', '-j', '-d', 'address', 'show', 'eth0']),
    )
    assert.deepEqual([link.operstate, link.mtu, link.linkinfo.info_kind], ['UP', 1500, 'veth'])
    assert.deepEqual(
      link.addr_info.map(({ family, prefixlen }: AddressInfo) => [family, prefixlen]),
      [
        ['inet', 32],
        ['inet6', 128],
      ],
    )
    const routes = [['-4'], ['-6']].map(async (version) =>
      JSON.parse(await hubs.lab.must(step, ['ip', '-j', ...version, 'route', 'show', 'default'])),
    )
    const gateways = (await Promise.all(routes)).map(([{ gateway }]) => gateway)
    assert.deepEqual(gateways, hub.facts.nameservers)
    const rules = await hubs.lab.must(hub.facts.hub, ['nft', '-s', 'list', 'ruleset'])
    for (const rule of HUB_RULES) assert.ok(rules.includes(rule), `${rule}\n${rules}`)
    const hostRules = await hubs.lab.must('host', ['nft', '-s', 'list', 'ruleset'])
    for (const rule of HOST_RULES) assert.ok(hostRules.includes(rule), `${rule}\n${hostRules}`)
  })

  it('drop what claims to come from another', async () => {
    await using hub = await hubs.open(2)
    const [step = NOWHERE, other = NOWHERE] = hub.facts.steps
    const [address = ''] = await hubs.lab.addressesOf(other)
    const seen = async (): Promise<number> => {
      const text = await hubs.lab.must(hub.facts.hub, [
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
    await hubs.lab.must(hub.facts.hub, [
      'nft',
      `add ${chain}; add rule inet steps seen udp dport 9 counter`,
    ])
    const send = (source: string): Promise<string> => {
      return hubs.lab.must(step, ['python3', '-c', SEND, source, WORLD.version4])
    }
    await send('')
    assert.equal(await seen(), 1)
    await hubs.lab.must(step, ['ip', 'address', 'add', `${address}/32`, 'dev', 'eth0'])
    await send(address)
    assert.equal(await seen(), 1)
  })

  it('leave the host as it was, also when another one stays a little longer', async () => {
    const [first, second] = [await hubs.open(1), await hubs.open(1)]
    const both = await hubs.traces()
    assert.match(both.links, /tsbuild0.*tsbuild1/s)
    assert.match(both.forwarding, /ipv4\/conf\/eth0\/forwarding/)
    assert.doesNotMatch(both.forwarding, /conf\/(all|default|inner)\//)
    await first[Symbol.asyncDispose]()
    const [step = NOWHERE] = second.facts.steps
    assert.deepEqual(await hubs.lab.reach(step, [at(WORLD.version4)]), ['world'])
    await second[Symbol.asyncDispose]()
    await hubs.untilNothingIsLeft()
  })
})

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
  'oifname != "out" meta l4proto tcp reject with tcp reset',
  'oifname != "out" reject with icmpx admin-prohibited',
  'ip daddr 169.254.0.0/16 reject with icmpx admin-prohibited',
  'ip daddr 198.18.128.1 udp dport 53 accept',
  'ct state established,related accept',
]

const HOST_RULES = [
  'flags owner',
  'type filter hook prerouting priority raw; policy accept;',
  'iifname "tsbuild0" fib daddr type != unicast meta l4proto tcp reject with tcp reset',
  'iifname "tsbuild0" fib daddr type != unicast reject with icmpx admin-prohibited',
  'iifname "tsbuild0" oifname "eth0" accept',
  'oifname "tsbuild0" drop',
  'ip saddr 198.18.0.2 masquerade',
  'meta nfproto ipv4 iifname "eth0" drop comment "ipv4/conf/eth0/forwarding"',
]
