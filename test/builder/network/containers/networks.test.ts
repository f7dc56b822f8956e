import assert from 'node:assert/strict'
import { at, HOST, NEIGHBOUR, WORLD } from '../../../support/networks/index.ts'
import { ContainerLab, type LabContainer } from '../support/container-lab.ts'
import { HubLab } from '../support/hub-lab.ts'

describe('network: containers', () => {
  let hubs: HubLab
  before(async () => {
    hubs = await HubLab.start()
  })
  beforeEach(() => hubs.untilNothingIsLeft())
  after(() => hubs[Symbol.asyncDispose]())

  const reach = (from: LabContainer, ...targets: readonly string[]): Promise<readonly string[]> =>
    hubs.lab.reach(from, targets)
  const assertClosed = (answers: readonly string[], count: number): void => {
    assert.equal(answers.length, count)
    for (const answer of answers) assert.match(answer, /^failed/)
  }

  it('reach each other, the world and the host, and not those of another network', async () => {
    await using containers = await ContainerLab.start(hubs.lab)
    await containers.network('one', ['172.30.0.0/16', 'fd00:30::/64'])
    await containers.network('two', ['172.31.0.0/16'])
    const addresses = { version4: '172.30.0.2', version6: 'fd00:30::2' }
    const web = await containers.container('web', 'one', addresses)
    const db = await containers.container('db', 'one', {
      ...{ version4: '172.30.0.3', version6: 'fd00:30::3' },
    })
    const other = await containers.container('other', 'two', { version4: '172.31.0.2' })
    const twin = await containers.container('twin', 'two', { version4: '172.31.0.3' })
    for (const container of [web, db, other]) await hubs.lab.greet(container, '53')
    assert.deepEqual(await reach(web, at('172.30.0.3'), at('fd00:30::3')), ['step', 'step'])
    assert.deepEqual(await reach(web, at('127.0.0.1', 53)), ['step'])
    const world = [at(WORLD.version4), at(WORLD.version6), at(NEIGHBOUR)]
    assert.deepEqual(await reach(web, ...world), ['world', 'world', 'neighbour'])
    const gateways = [at('172.30.0.1'), at('fd00:30::1')]
    assert.deepEqual(await reach(web, at(HOST.version4), ...gateways), ['host', 'host', 'host'])
    const fromHost = [at('172.30.0.2'), at('172.31.0.2'), at('fd00:30::2')]
    assert.deepEqual(await reach('host', ...fromHost), ['step', 'step', 'step'])
    assert.deepEqual(await reach(twin, at('172.31.0.2')), ['step'])
    assertClosed(await reach(web, at('172.31.0.2')), 1)
    assertClosed(await reach(other, at('172.30.0.2')), 1)
    assertClosed(await reach('world', at('172.30.0.2')), 1)
  })

  it('of an inner network reach each other only, those of an isolated one not even that', async () => {
    await using containers = await ContainerLab.start(hubs.lab)
    await containers.network('inner', ['172.30.0.0/24'], {
      reach: 'nowhere',
      subnets: [{ subnet: '172.30.0.0/24', gateway: undefined }],
    })
    await containers.network('lonely', ['172.31.0.0/24'], { peers: 'isolated' })
    const inner = await containers.container('inner1', 'inner', { version4: '172.30.0.2' })
    const second = await containers.container('inner2', 'inner', { version4: '172.30.0.3' })
    const lonely = await containers.container('lonely1', 'lonely', { version4: '172.31.0.2' })
    const other = await containers.container('lonely2', 'lonely', { version4: '172.31.0.3' })
    for (const container of [inner, second, lonely, other]) await hubs.lab.greet(container)
    assert.deepEqual(await reach(inner, at('172.30.0.3')), ['step'])
    // What a container with all rights adds does not lead out.
    await hubs.lab.must(inner, ['ip', 'route', 'add', 'default', 'via', '172.30.0.3'])
    await hubs.lab.must(second, ['sh', '-c', 'ip route add default dev eth0'])
    assertClosed(await reach(inner, at(WORLD.version4), at(HOST.version4)), 2)
    assertClosed(await reach(second, at(WORLD.version4), at(HOST.version4)), 2)
    assertClosed(await reach(lonely, at('172.31.0.3')), 1)
    assert.deepEqual(await reach(lonely, at(WORLD.version4)), ['world'])
  })

  it('enter and leave networks while they run', async () => {
    await using containers = await ContainerLab.start(hubs.lab)
    await containers.network('one', ['172.30.0.0/16'])
    await containers.network('two', ['172.31.0.0/16', 'fd00:31::/64'], { mtu: 1400 })
    const web = await containers.container('web', 'one', { version4: '172.30.0.2' })
    const db = await containers.container('db', 'two', { version4: '172.31.0.2' })
    await hubs.lab.greet(db)
    assertClosed(await reach(web, at('172.31.0.2')), 1)
    const second = { version4: '172.31.0.3', version6: 'fd00:31::3', link: 'back0' }
    await containers.join('web', 'two', { ...second, hardwareAddress: '02:42:ac:1f:00:03' })
    assert.deepEqual(await reach(web, at('172.31.0.2'), at(WORLD.version4)), ['step', 'world'])
    const [link] = JSON.parse(await hubs.lab.must(web, ['ip', '-j', 'address', 'show', 'back0']))
    assert.deepEqual([link.mtu, link.address], [1400, '02:42:ac:1f:00:03'])
    const held = link.addr_info.map(({ local, prefixlen }: AddressInfo) => `${local}/${prefixlen}`)
    assert.equal(link.addr_info[0].broadcast, '172.31.255.255')
    assert.deepEqual(held, ['172.31.0.3/16', 'fd00:31::3/64', 'fe80::42:acff:fe1f:3/64'])
    const route = async (): Promise<string> =>
      await hubs.lab.must(web, ['ip', 'route', 'show', 'default'])
    assert.match(await route(), /^default via 172\.30\.0\.1 dev eth0/)
    await containers.ask({ ask: 'route', place: 'web', network: 'two' })
    assert.match(await route(), /^default via 172\.31\.0\.1 dev back0 [^\n]*\n$/)
    assert.deepEqual(await reach(web, at(WORLD.version4), at(WORLD.version6)), ['world', 'world'])
    await containers.ask({ ask: 'disconnect', place: 'web', network: 'two' })
    assert.equal(await route(), '')
    assert.equal((await hubs.lab.addressesOf(web)).join(), '172.30.0.2')
    assertClosed(await reach(web, at('172.31.0.2'), at(WORLD.version4)), 2)
    await containers.ask({ ask: 'disconnect', place: 'web', network: 'one' })
    assert.deepEqual(await hubs.lab.addressesOf(web), [])
    // A container that left is no obstacle to the end of its network.
    await containers.ask({ ask: 'remove', network: 'one' })
    assert.doesNotMatch(await hubs.lab.must('host', ['ip', 'route']), /172\.30/)
    // Nor is one that has removed its link by itself.
    const odd = await containers.container('odd', 'two', { version4: '172.31.0.9' })
    await containers.container('even', 'two', { version4: '172.31.0.10' })
    await hubs.lab.must(odd, ['ip', 'link', 'delete', 'eth0'])
    await containers.ask({ ask: 'release', place: 'odd' })
    await containers.ask({ ask: 'release', place: 'even' })
    await containers.network('again', ['172.30.0.0/16'])
    await containers.join('web', 'again', { version4: '172.30.0.9' })
    await containers.ask({ ask: 'route', place: 'web', network: 'again' })
    assert.deepEqual(await reach(web, at(WORLD.version4)), ['world'])
  })

  it('are apart from the steps of builds', async () => {
    await using containers = await ContainerLab.start(hubs.lab)
    await containers.network('one', ['172.30.0.0/16'])
    const web = await containers.container('web', 'one', { version4: '172.30.0.2' })
    await using hub = await hubs.open(1)
    const [step = 'world'] = hub.facts.steps
    await hubs.lab.greet(web)
    await hubs.lab.greet(step)
    const [address = ''] = await hubs.lab.addressesOf(step)
    assert.deepEqual(await reach(step, at(WORLD.version4)), ['world'])
    assert.deepEqual(await reach('host', at('172.30.0.2')), ['step'])
    assertClosed(await reach(step, at('172.30.0.2'), at('172.30.0.1'), at(HOST.version4)), 3)
    assertClosed(await reach(web, at(address)), 1)
    // The address by which containers reach the host is the host's, too.
    const [uplink = ''] = (
      await hubs.lab.must('host', ['sh', '-c', 'ip -o -4 address show tsbuild0'])
    ).match(/198[0-9.]+/) ?? ['']
    assert.deepEqual(await reach('host', at(uplink)), ['host'])
    assertClosed(await reach(step, at(uplink)), 1)
  })

  it('cannot claim addresses of others', async () => {
    await using containers = await ContainerLab.start(hubs.lab)
    await containers.network('one', ['172.30.0.0/16'])
    await containers.network('two', ['172.31.0.0/16'])
    const web = await containers.container('web', 'one', { version4: '172.30.0.2' })
    await containers.container('other', 'two', { version4: '172.31.0.2' })
    const count = async (): Promise<number> => {
      const text = await hubs.lab.must('host', [
        ...['nft', '-j', 'list', 'chain', 'inet', 'seen', 'seen'],
      ])
      return JSON.parse(text).nftables.at(-1).rule.expr.at(-1).counter.packets
    }
    const chain = 'chain inet seen seen { type filter hook prerouting priority -400; }'
    const rule = 'rule inet seen seen udp dport 9 counter'
    await hubs.lab.must('host', ['nft', `add table inet seen; add ${chain}; add ${rule}`])
    const send = (source: string): Promise<string> =>
      hubs.lab.must(web, ['python3', '-c', SEND, source, WORLD.version4])
    await send('')
    assert.equal(await count(), 1)
    for (const address of ['172.31.0.2', WORLD.version4, '198.18.0.1']) {
      await hubs.lab.must(web, ['ip', 'address', 'add', `${address}/32`, 'dev', 'lo'])
    }
    for (const address of ['172.31.0.2', '198.18.0.1']) await send(address)
    assert.equal(await count(), 1)
    await hubs.lab.must('host', ['nft', 'delete', 'table', 'inet', 'seen'])
  })

  it('leave nothing on the host, also after the end of their engine', async () => {
    const first = await ContainerLab.start(hubs.lab)
    await first.network('one', ['172.30.0.0/16', 'fd00:30::/64'])
    const addresses = { version4: '172.30.0.2', version6: 'fd00:30::2' }
    await first.container('web', 'one', addresses)
    await first.publish('web', ['tcp', 80, 9090], addresses)
    const { links, rules } = await hubs.traces()
    assert.match(links, /tsbuild0/)
    assert.match(rules, /flags owner/)
    assert.match(rules, /tcp dport 9090 dnat ip to 172\.30\.0\.2:80/)
    assert.match(await hubs.lab.must('host', ['ip', 'route']), /^172\.30\.0\.0\/16 dev tsbuild0/m)
    await first[Symbol.asyncDispose]()
    await hubs.untilNothingIsLeft()
    const second = await ContainerLab.start(hubs.lab)
    await second.network('one', ['172.30.0.0/16'])
    await second.container('web', 'one', { version4: '172.30.0.2' })
    await second.publish('web', ['tcp', 80, 9090], { version4: '172.30.0.2' })
    await second.kill()
    assert.doesNotMatch((await hubs.traces()).rules, /dnat ip to/)
    await using third = await ContainerLab.start(hubs.lab)
    await third.network('one', ['172.30.0.0/16'])
    const web = await third.container('web', 'one', { version4: '172.30.0.2' })
    await third.publish('web', ['tcp', 80, 9090], { version4: '172.30.0.2' })
    assert.deepEqual(await reach(web, at(WORLD.version4)), ['world'])
  })

  it('go on when the host gets another way out, or the rules of others come again', async () => {
    await using containers = await ContainerLab.start(hubs.lab)
    await containers.network('one', ['172.30.0.0/16'])
    const web = await containers.container('web', 'one', { version4: '172.30.0.2' })
    const onHost = (script: string): Promise<string> => hubs.lab.must('host', ['sh', '-ec', script])
    const untilReached = async (): Promise<void> => {
      const end = performance.now() + 15_000
      for (
        let answer = '';
        answer !== 'world';
        [answer = ''] = await reach(web, at(WORLD.version4))
      ) {
        assert.ok(performance.now() < end)
      }
    }
    // A firewall that comes up drops what it does not know.
    await onHost(
      "nft add table inet wall; nft add chain inet wall forward '{ type filter hook forward priority 5; policy drop; }'",
    )
    assertClosed(await reach(web, at(WORLD.version4)), 1)
    await untilReached()
    // The same link by another name is another one.
    await onHost('ip link set eth0 down; ip link set eth0 name wlan0; ip link set wlan0 up')
    await onHost(`ip route add default via ${WORLD.version4}`)
    assertClosed(await reach(web, at(WORLD.version4)), 1)
    await untilReached()
    await onHost('ip link set wlan0 down; ip link set wlan0 name eth0; ip link set eth0 up')
    await onHost(`ip route add default via ${WORLD.version4}; nft delete table inet wall`)
    await onHost(`ip -6 address add ${HOST.version6}/64 dev eth0 nodad 2>/dev/null || true`)
    await onHost(`ip -6 route add default via ${WORLD.version6} 2>/dev/null || true`)
  })

  it('are a hundred in one network', async () => {
    await using containers = await ContainerLab.start(hubs.lab)
    await containers.network('many', ['172.30.0.0/16'])
    const paths: LabContainer[] = []
    for (let number = 0; number < 100; number++) {
      const version4 = `172.30.1.${number}`
      paths.push(await containers.container(`many${number}`, 'many', { version4 }))
    }
    const [first = 'world', last = 'world'] = [paths[0], paths.at(-1)]
    await hubs.lab.greet(last)
    assert.deepEqual(await reach(first, at('172.30.1.99'), at(WORLD.version4)), ['step', 'world'])
    const found = await hubs.lab.must(first, ['dig', '+short', 'many57', '@127.0.0.11'])
    assert.equal(found, '172.30.1.57\n')
    for (let number = 0; number < 100; number++) {
      await containers.ask({ ask: 'release', place: `many${number}` })
    }
    await containers.ask({ ask: 'remove', network: 'many' })
  })
})

interface AddressInfo {
  readonly local: string
  readonly prefixlen: number
}

/** Sends a datagram from one address to another. */
const SEND = `
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
s.sendto(b'x', (sys.argv[2], 9))
`
