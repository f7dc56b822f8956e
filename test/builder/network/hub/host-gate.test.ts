import assert from 'node:assert/strict'
import { at, HOST, type LabHost, NEIGHBOUR, WORLD } from '../../../support/networks/index.ts'
import { HubLab } from '../support/hub-lab.ts'

describe('network: the gate of a host', () => {
  let hubs: HubLab
  before(async () => {
    hubs = await HubLab.start()
  })
  after(() => hubs[Symbol.asyncDispose]())

  const onHost = (script: string): Promise<string> => hubs.lab.must('host', ['sh', '-ec', script])
  const world = async (step: LabHost | undefined): Promise<readonly string[]> =>
    await hubs.lab.reach(step ?? '/proc/nowhere', [at(WORLD.version4), at(WORLD.version6)])

  it('passes chains of others that drop what nothing accepts, and leaves them as they were', async () => {
    await onHost(LIKE_DOCKERD)
    await onHost('nft add table inet wall')
    await onHost(
      "nft add chain inet wall forward '{ type filter hook forward priority 5; policy drop; }'",
    )
    const before = await onHost('iptables -S; ip6tables -S; nft list table inet wall')
    {
      await using hub = await hubs.open(1)
      assert.deepEqual(await world(hub.facts.steps[0]), ['world', 'world'])
      const rules = await onHost('iptables -S FORWARD; ip6tables -S FORWARD')
      assert.match(rules, /^-A FORWARD -i tsbuild\+ .*-j ACCEPT$/m)
      // What the rules of others forbid stays forbidden.
      await onHost(`iptables -I FORWARD -d ${WORLD.version4} -j REJECT`)
      const [version4] = await world(hub.facts.steps[0])
      assert.match(version4 ?? '', /^failed/)
      await onHost(`iptables -D FORWARD -d ${WORLD.version4} -j REJECT`)
    }
    assert.equal(await onHost('iptables -S; ip6tables -S; nft list table inet wall'), before)
    {
      // Without the rules for hubs nothing would pass.
      await using hub = await hubs.open(1)
      await onHost('iptables -F FORWARD')
      const [version4 = '', version6] = await world(hub.facts.steps[0])
      assert.match(version4, /^failed/)
      assert.equal(version6, 'world')
    }
    await onHost('nft flush ruleset')
    await hubs.untilNothingIsLeft()
  })

  it('passes the same in the tables of before nf_tables', async () => {
    const legacy = 'iptables-legacy -S; ip6tables-legacy -S'
    await onHost('iptables-legacy -P FORWARD DROP; ip6tables-legacy -P FORWARD DROP')
    const before = await onHost(legacy)
    {
      await using hub = await hubs.open(1)
      assert.deepEqual(await world(hub.facts.steps[0]), ['world', 'world'])
      await onHost('iptables-legacy -F FORWARD')
      const [version4 = ''] = await world(hub.facts.steps[0])
      assert.match(version4, /^failed/)
    }
    assert.equal(await onHost(legacy), before)
    await onHost('iptables-legacy -P FORWARD ACCEPT; ip6tables-legacy -P FORWARD ACCEPT')
  })

  it('does not lead to ports of the host that its rules send elsewhere', async () => {
    await onHost('iptables -t nat -N PORTS; iptables -t nat -A PREROUTING -j PORTS')
    await onHost(
      `iptables -t nat -A PORTS -p tcp --dport 80 -d ${HOST.version4} -j DNAT --to ${NEIGHBOUR}:8080`,
    )
    await using hub = await hubs.open(1)
    assert.deepEqual(await hubs.lab.reach('world', [at(HOST.version4, 80)]), ['neighbour'])
    const [answer = ''] = await hubs.lab.reach(hub.facts.steps[0] ?? 'world', [
      at(HOST.version4, 80),
    ])
    assert.match(answer, /^failed/)
    await onHost('nft flush ruleset')
  })

  it('makes no router of the host, also after the end of a builder that could not close it', async () => {
    await hubs.untilNothingIsLeft()
    const through = (): Promise<readonly string[]> => hubs.lab.reach('world', [at(NEIGHBOUR)])
    const setForwarding = (value: 0 | 1): Promise<string> =>
      onHost(`echo ${value} > /proc/sys/net/ipv4/conf/eth0/forwarding;
        echo ${value} > /proc/sys/net/ipv4/conf/eth1/forwarding`)
    // Without a guard it would be one.
    await setForwarding(1)
    assert.deepEqual(await through(), ['neighbour'])
    await setForwarding(0)
    const hub = await hubs.open(1)
    assert.match((await through())[0] ?? '', /^failed/)
    await onHost(LIKE_DOCKERD)
    await hub.kill()
    const left = await hubs.traces()
    assert.match(left.forwarding, /eth0\/forwarding/)
    assert.match((await through())[0] ?? '', /^failed/)
    {
      await using next = await hubs.open(1)
      assert.deepEqual(await world(next.facts.steps[0]), ['world', 'world'])
    }
    await onHost('nft flush ruleset')
    await hubs.untilNothingIsLeft()
  })

  it('stays open for what wants the host to forward by then', async () => {
    const hub = await hubs.open(1)
    await onHost('echo 1 > /proc/sys/net/ipv4/conf/all/forwarding')
    await hub[Symbol.asyncDispose]()
    assert.match((await hubs.traces()).forwarding, /ipv4\/conf\/eth0\/forwarding:1/)
    await onHost('echo 0 > /proc/sys/net/ipv4/conf/all/forwarding')
    await hubs.untilNothingIsLeft()
  })

  it('is for addresses that the host does not use', async () => {
    await onHost('ip route add 198.18.0.0/15 via 203.0.113.1')
    {
      await using hub = await hubs.open(1)
      const [address = ''] = await hubs.lab.addressesOf(hub.facts.steps[0] ?? 'world')
      assert.match(address, /^10\.255\./)
      assert.deepEqual(await world(hub.facts.steps[0]), ['world', 'world'])
    }
    await onHost('ip route del 198.18.0.0/15')
  })

  it('is without version 6 where the host has none', async () => {
    await onHost('ip -6 route del default; ip -6 address del 2001:db8::2/64 dev eth0')
    await using hub = await hubs.open(1)
    const step = hub.facts.steps[0] ?? 'world'
    assert.equal((await hubs.lab.addressesOf(step)).length, 1)
    assert.deepEqual(await hubs.lab.reach(step, [at(WORLD.version4)]), ['world'])
  })
})

/** As dockerd makes them, in the tables of `iptables`. */
const LIKE_DOCKERD = `
  for table in iptables ip6tables; do
    $table -P FORWARD DROP
    $table -N DOCKER-USER
    $table -A DOCKER-USER -j RETURN
    $table -A FORWARD -j DOCKER-USER
    $table -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  done
`
