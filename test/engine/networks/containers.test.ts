import assert from 'node:assert/strict'
import type { NewEvent } from '#engine/state'
import { at, HOST, WORLD } from '../../support/networks/index.ts'
import { NetworksLab } from './support/networks-lab.ts'

const BASE_HOSTS = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`

describe('networks of containers of an engine', () => {
  let engine: NetworksLab
  before(async () => {
    engine = await NetworksLab.start()
    await engine.lab.greet('world')
    await engine.lab.greet('host')
  })
  after(() => engine[Symbol.asyncDispose]())

  it('are the default bridge where none is named', async () => {
    const path = await engine.run('web', {
      ExposedPorts: { '80/tcp': {}, '81/tcp': {} },
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8001' }] } },
    })
    const { id, hosts, settings, former } = await engine.look('web')
    const short = id.slice(0, 12)
    const { NetworkID, EndpointID, ...endpoint } = settings.Networks.bridge ?? {}
    assert.match(NetworkID ?? '', /^[0-9a-f]{64}$/)
    assert.match(EndpointID ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual(endpoint, {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      DriverOpts: null,
      GwPriority: 0,
      Gateway: '172.17.0.1',
      IPAddress: '172.17.0.2',
      MacAddress: '02:42:ac:11:00:02',
      IPPrefixLen: 16,
      IPv6Gateway: '',
      GlobalIPv6Address: '',
      GlobalIPv6PrefixLen: 0,
      DNSNames: null,
    })
    assert.deepEqual(settings.Ports, {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8001' },
        { HostIp: '::', HostPort: '8001' },
      ],
      '81/tcp': null,
    })
    assert.equal(former.IPAddress, '172.17.0.2')
    assert.equal(former.EndpointID, EndpointID)
    assert.equal(hosts, `${BASE_HOSTS}172.17.0.2\t${short}\n`)
    assert.deepEqual(await engine.lab.addressesOf(path), ['172.17.0.2'])
    assert.deepEqual(await engine.lab.reach(path, [at(WORLD.version4)]), ['world'])
    // What the engine says of its namespace leads there.
    assert.deepEqual(await engine.lab.addressesOf(settings.SandboxKey as `/proc/${string}`), [
      '172.17.0.2',
    ])
    const linked = await engine.run('client', {
      HostConfig: { Links: ['/web:ally', 'web'], ExtraHosts: ['gate:host-gateway', 'x:1.2.3.4'] },
    })
    const { hosts: linkedHosts, id: client, variables } = await engine.look('client')
    const ofLink = (alias: string, name: string): readonly string[] => [
      `${alias}_PORT=tcp://172.17.0.2:80`,
      ...[80, 81].flatMap((port) => [
        `${alias}_PORT_${port}_TCP=tcp://172.17.0.2:${port}`,
        `${alias}_PORT_${port}_TCP_ADDR=172.17.0.2`,
        `${alias}_PORT_${port}_TCP_PORT=${port}`,
        `${alias}_PORT_${port}_TCP_PROTO=tcp`,
      ]),
      `${alias}_NAME=/client/${name}`,
    ]
    assert.deepEqual(variables, [...ofLink('ALLY', 'ally'), ...ofLink('WEB', 'web')])
    assert.equal(
      linkedHosts,
      `${BASE_HOSTS}172.17.0.1\tgate
1.2.3.4\tx
172.17.0.2\tally ${short} web
172.17.0.2\tweb ${short}
172.17.0.3\t${client.slice(0, 12)}
`,
    )
    assert.deepEqual(await engine.lab.reach(linked, [at('172.17.0.1')]), ['host'])
    await engine.ask({ ask: 'end', name: 'client' })
    await engine.ask({ ask: 'end', name: 'web' })
    const { stdout } = await engine.lab.on('host', ['ss', '-ltn'])
    assert.doesNotMatch(stdout, /:8001/)
    assert.match(stdout, /:8080/)
  })

  it('are several at once, with the way out that is asked for', async () => {
    const events = async (): Promise<readonly NewEvent[]> =>
      (await engine.ask({ ask: 'events' })) as readonly NewEvent[]
    const subnet = (Subnet: string) => ({ IPAM: { Config: [{ Subnet }] } })
    await engine.ask({ ask: 'create', body: { Name: 'front', ...subnet('10.50.0.0/24') } })
    await engine.ask({
      ask: 'create',
      body: { Name: 'back', EnableIPv6: true, ...subnet('10.51.0.0/24') },
    })
    await events()
    const path = await engine.run('app', {
      Hostname: 'app-host',
      HostConfig: {
        ...{ NetworkMode: 'front', PublishAllPorts: true, DnsSearch: ['s.test'] },
        ...{ Dns: [WORLD.version4], DnsOptions: ['timeout:1'] },
      },
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      NetworkingConfig: {
        EndpointsConfig: {
          front: {
            IPAMConfig: { IPv4Address: '10.50.0.77' },
            MacAddress: '02:42:AA:BB:CC:DE',
            Aliases: ['www'],
            DriverOpts: { 'com.docker.network.endpoint.ifname': 'foo0' },
          },
          back: { GwPriority: 10 },
        },
      },
    })
    const { id, settings, hosts, resolvConf } = await engine.look('app')
    const { front, back } = settings.Networks
    assert.deepEqual(
      [front?.IPAddress, front?.MacAddress, front?.Gateway],
      ['10.50.0.77', '02:42:aa:bb:cc:de', '10.50.0.1'],
    )
    assert.deepEqual(front?.DNSNames, ['app', 'www', id.slice(0, 12), 'app-host'])
    assert.equal(back?.IPAddress, '10.51.0.2')
    assert.match(back?.GlobalIPv6Address ?? '', /^fd.*::2$/)
    assert.equal(back?.GlobalIPv6PrefixLen, 64)
    const shown = await engine.lab.must(path, ['ip', '-o', '-4', 'address'])
    assert.match(shown, /eth0 +inet 10\.51\.0\.2\/24/)
    assert.match(shown, /foo0 +inet 10\.50\.0\.77\/24/)
    const route = await engine.lab.must(path, ['ip', 'route', 'show', 'default'])
    assert.match(route, /^default via 10\.51\.0\.1 dev eth0/)
    const [first] = (
      await engine.lab.must('host', ['cat', '/proc/sys/net/ipv4/ip_local_port_range'])
    ).split(/\s/)
    const published = [
      { HostIp: '0.0.0.0', HostPort: first },
      { HostIp: '::', HostPort: first },
    ]
    assert.deepEqual(settings.Ports, { '53/udp': published, '80/tcp': published })
    assert.equal(
      hosts,
      `${BASE_HOSTS}10.51.0.2\tapp-host\n${back?.GlobalIPv6Address}\tapp-host\n10.50.0.77\tapp-host\n`,
    )
    assert.equal(resolvConf, 'search s.test\nnameserver 127.0.0.11\noptions timeout:1 ndots:0\n')
    const connected = (await events()).map(({ Action, attributes = {} }) => [
      ...[Action, attributes.name, attributes.type, attributes.container],
    ])
    assert.deepEqual(connected, [
      ['connect', 'back', 'bridge', id],
      ['connect', 'front', 'bridge', id],
    ])
    await engine.lab.serveNames('world', WORLD.version4, '192.0.2.77')
    for (const [name, address] of [
      ['www', '10.50.0.77\n'],
      ['app.back', '10.51.0.2\n'],
      ['known.test', '192.0.2.77\n'],
    ] as const) {
      const answer = await engine.lab.must(path, ['dig', '+short', '@127.0.0.11', name])
      assert.equal(answer, address)
    }
    const used = {
      code: 'PERMISSION_DENIED',
      message:
        /^error while removing network: network back has active endpoints \(name:"app" id:"[0-9a-f]{12}"\)$/,
    }
    await assert.rejects(engine.ask({ ask: 'remove', network: 'back' }), used)
    const { Containers } = (await engine.ask({ ask: 'inspect', network: 'front' })) as {
      readonly Containers: object
    }
    assert.deepEqual(Containers, {
      [id]: {
        Name: 'app',
        EndpointID: front?.EndpointID,
        MacAddress: '02:42:aa:bb:cc:de',
        IPv4Address: '10.50.0.77/24',
        IPv6Address: '',
      },
    })
    // The way out changes with the networks, and the ports lead to where it is.
    await engine.ask({ ask: 'disconnect', name: 'app', network: 'back' })
    const left = await engine.look('app')
    assert.deepEqual(Object.keys(left.settings.Networks), ['front'])
    assert.equal(left.settings.Ports['80/tcp']?.length, 2)
    assert.match(await engine.lab.must(path, ['ip', 'route']), /^default via 10\.50\.0\.1 dev foo0/)
    const rules = await engine.lab.must('host', ['nft', 'list', 'ruleset'])
    assert.match(rules, /dnat ip to 10\.50\.0\.77:80/)
    assert.doesNotMatch(rules, /dnat ip to 10\.51\.0\.2:80/)
    await engine.ask({ ask: 'rename', name: 'app', to: 'renamed' })
    const renamed = await engine.lab.must(path, ['dig', '+short', '@127.0.0.11', 'renamed'])
    assert.equal(renamed, '10.50.0.77\n')
    await engine.ask({ ask: 'connect', name: 'app', network: 'back', config: { Aliases: ['zz'] } })
    const again = { message: 'endpoint with name renamed already exists in network back' }
    await assert.rejects(engine.ask({ ask: 'connect', name: 'app', network: 'back' }), again)
    await engine.ask({ ask: 'end', name: 'app' })
    await engine.ask({ ask: 'remove', network: 'back' })
    await engine.ask({ ask: 'remove', network: 'front' })
  })

  it('fail to be entered in docker’s words, and leave nothing then', async () => {
    const IPAM = { Config: [{ Subnet: '10.60.0.0/29' }] }
    await engine.ask({ ask: 'create', body: { Name: 'small', IPAM } })
    const small = (IPv4Address?: string) => ({
      HostConfig: { NetworkMode: 'small' },
      NetworkingConfig: {
        EndpointsConfig: {
          small: IPv4Address === undefined ? {} : { IPAMConfig: { IPv4Address } },
        },
      },
    })
    await engine.run('one', small('10.60.0.4'))
    for (const address of ['10.60.0.4', '10.60.0.1']) {
      await assert.rejects(engine.run('two', small(address)), {
        code: 'PERMISSION_DENIED',
        message: 'failed to set up container networking: Address already in use',
      })
    }
    for (const name of ['a', 'b', 'c', 'd']) await engine.run(name, small())
    await assert.rejects(engine.run('e', small()), {
      message:
        /no available IPv4 addresses on this network's address pools: small \([0-9a-f]{64}\)$/,
    })
    await assert.rejects(engine.run('f', { HostConfig: { NetworkMode: 'nope' } }), {
      code: 'NOT_FOUND',
      message: 'failed to set up container networking: network nope not found',
    })
    const published = (HostPort: string) => ({
      HostConfig: { PortBindings: { '80/tcp': [{ HostPort }] } },
    })
    await engine.run('first', published('8002'))
    const prefix = String.raw`^failed to set up container networking: driver failed programming external connectivity on endpoint second \([0-9a-f]{64}\): `
    await assert.rejects(engine.run('second', published('8002')), {
      message: new RegExp(
        `${prefix}Bind for 0\\.0\\.0\\.0:8002 failed: port is already allocated$`,
      ),
    })
    await assert.rejects(engine.run('second', published('8080')), {
      message: new RegExp(
        `${prefix}failed to bind host port 0\\.0\\.0\\.0:8080/tcp: address already in use$`,
      ),
    })
    await engine.run('second', published('8003'))
    const second = await engine.look('second')
    assert.equal(second.settings.Networks.bridge?.IPAddress, '172.17.0.3')
    for (const name of ['one', 'a', 'b', 'c', 'd', 'first', 'second']) {
      await engine.ask({ ask: 'end', name })
    }
    await engine.ask({ ask: 'remove', network: 'small' })
  })

  it('may be inner, none, or the host’s', async () => {
    await engine.ask({ ask: 'create', body: { Name: 'inner', Internal: true } })
    const inner = await engine.run('inside', {
      HostConfig: { NetworkMode: 'inner', PortBindings: { '80/tcp': [{ HostPort: '8004' }] } },
    })
    const { settings } = await engine.look('inside')
    assert.equal(settings.Networks.inner?.Gateway, '')
    assert.deepEqual(settings.Ports, { '80/tcp': null })
    assert.equal(await engine.lab.must(inner, ['ip', 'route', 'show', 'default']), '')
    const { stdout } = await engine.lab.on(inner, ['dig', '@127.0.0.11', '+tries=1', 'known.test'])
    assert.match(stdout, /status: SERVFAIL/)
    const none = await engine.run('alone', { HostConfig: { NetworkMode: 'none' } })
    assert.equal((await engine.look('alone')).hosts, BASE_HOSTS)
    assert.deepEqual(await engine.lab.addressesOf(none), [])
    assert.match(await engine.lab.must(none, ['ip', '-o', 'address']), /lo +inet 127\.0\.0\.1\/8/)
    const endpoint = (await engine.look('alone')).settings.Networks.none
    assert.match(`${endpoint?.NetworkID} ${endpoint?.EndpointID}`, /^[0-9a-f]{64} [0-9a-f]{64}$/)
    assert.equal(endpoint?.MacAddress, '')
    assert.equal(await engine.run('shared', { HostConfig: { NetworkMode: 'host' } }), '')
    const shared = await engine.look('shared')
    assert.deepEqual(Object.keys(shared.settings.Networks), ['host'])
    assert.match(shared.hosts, /localhost/)
    const disabled = await engine.run('disabled', { NetworkDisabled: true })
    assert.deepEqual(await engine.lab.addressesOf(disabled), [])
    for (const name of ['inside', 'alone', 'shared', 'disabled'])
      await engine.ask({ ask: 'end', name })
    await engine.ask({ ask: 'remove', network: 'inner' })
    assert.equal((await engine.lab.reach('host', [at(HOST.version4)])).join(), 'host')
  })
})
