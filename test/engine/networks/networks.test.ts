import assert from 'node:assert/strict'
import { type NetworkRecord, Networks } from '#engine/networks'
import type { NewEvent } from '#engine/state'
import { memoryDocuments } from '../support/memory-documents.ts'
import { recordOf } from './support/record.ts'
import { WRONG_NETWORKS } from './support/wrong-networks.ts'

/** Networks of an engine none of whose containers runs. */
function newNetworks(documents = memoryDocuments<NetworkRecord>()): {
  readonly networks: Networks
  readonly events: readonly NewEvent[]
} {
  const events: NewEvent[] = []
  const networks = new Networks({
    documents,
    emit: (event) => void events.push(event),
    open: () => Promise.reject(new Error('nothing runs')),
  })
  return { networks, events }
}

const named = (networks: Networks, filters?: object): readonly string[] =>
  networks.list(filters && JSON.stringify(filters)).map(({ Name }) => String(Name))

describe('networks of an engine', () => {
  it('are there from the beginning, and stay the same', () => {
    const documents = memoryDocuments<NetworkRecord>()
    const { networks } = newNetworks(documents)
    const list = networks.list()
    assert.deepEqual(
      list.map(({ Name, Driver }) => [Name, Driver]),
      [
        ['bridge', 'bridge'],
        ['host', 'host'],
        ['none', 'null'],
      ],
    )
    const [bridge] = list
    assert.match(String(bridge?.Id), /^[0-9a-f]{64}$/)
    const { Name, Id, Created, IPAM, ...rest } = bridge ?? {}
    const [config] = (IPAM as { readonly Config: readonly { Subnet: string; Gateway: string }[] })
      .Config
    assert.match(config?.Subnet ?? '', /^172\.\d+\.0\.0\/16$/)
    assert.equal(config?.Gateway, config?.Subnet.replace('0/16', '1'))
    // As today's dockerd lists its own.
    assert.deepEqual(rest, {
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv4: true,
      EnableIPv6: false,
      Internal: false,
      Attachable: false,
      Ingress: false,
      ConfigFrom: { Network: '' },
      ConfigOnly: false,
      Options: {
        'com.docker.network.bridge.default_bridge': 'true',
        'com.docker.network.bridge.enable_icc': 'true',
        'com.docker.network.bridge.enable_ip_masquerade': 'true',
        'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
        'com.docker.network.bridge.name': 'docker0',
        'com.docker.network.driver.mtu': '1500',
      },
      Labels: {},
    })
    assert.deepEqual(newNetworks(documents).networks.list(), list)
    // One that other routes of the host lead to by now has other addresses.
    const [record] = documents.all().filter(({ name }) => name === 'bridge')
    assert.ok(record)
    documents.put({ ...record, ipam: { Config: [{ Subnet: '127.0.0.0/16' }] } })
    newNetworks(documents)
    assert.deepEqual(documents.get(record.id)?.ipam.Config, [config])
    assert.equal(documents.all().length, 3)
  })

  it('are made as they are asked for', () => {
    const { networks, events } = newNetworks()
    const { id } = networks.create({
      Name: 'n2',
      EnableIPv6: true,
      IPAM: {
        Config: [
          {
            Subnet: '10.9.0.0/24',
            IPRange: '10.9.0.128/25',
            Gateway: '10.9.0.254',
            AuxiliaryAddresses: { a: '10.9.0.130' },
          },
          { Subnet: 'fd00:9::/64' },
        ],
      },
      Attachable: true,
      Labels: { x: 'y' },
      Options: { 'com.docker.network.bridge.name': 'brx' },
    })
    const { Created, ...found } = networks.inspect('n2')
    assert.deepEqual(found, {
      Name: 'n2',
      Id: id,
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv4: true,
      EnableIPv6: true,
      IPAM: {
        Driver: 'default',
        Options: null,
        Config: [
          {
            Subnet: '10.9.0.0/24',
            IPRange: '10.9.0.128/25',
            Gateway: '10.9.0.254',
            AuxiliaryAddresses: { a: '10.9.0.130' },
          },
          { Subnet: 'fd00:9::/64', Gateway: 'fd00:9::1' },
        ],
      },
      Internal: false,
      Attachable: true,
      Ingress: false,
      ConfigFrom: { Network: '' },
      ConfigOnly: false,
      Options: { 'com.docker.network.bridge.name': 'brx' },
      Labels: { x: 'y' },
      Containers: {},
      Status: {
        IPAM: {
          Subnets: {
            '10.9.0.0/24': { IPsInUse: 4, DynamicIPsAvailable: 125 },
            'fd00:9::/64': { IPsInUse: 2, DynamicIPsAvailable: 2 ** 64 - 2 ** 11 },
          },
        },
      },
    })
    // A number of 64 bits without a sign for those who read it.
    const available = /"DynamicIPsAvailable":(1\d{19})/.exec(JSON.stringify(found.Status))?.[1]
    assert.ok(BigInt(available ?? 0) > 0n && BigInt(available ?? 0) < 1n << 64n)
    assert.deepEqual(events, [
      { Type: 'network', Action: 'create', id, attributes: { name: 'n2', type: 'bridge' } },
    ])
    networks.create({ Name: 'two', IPAM: { Config: [{ Subnet: '10.22.0.0/31' }] } })
    const { IPAM, Status } = networks.inspect('two')
    assert.deepEqual((IPAM as { Config: unknown }).Config, [
      { Subnet: '10.22.0.0/31', Gateway: '10.22.0.0' },
    ])
    const subnets = (Status as { IPAM: { Subnets: object } }).IPAM.Subnets
    assert.deepEqual(subnets, { '10.22.0.0/31': { IPsInUse: 1, DynamicIPsAvailable: 1 } })
  })

  it('get addresses that no other one has', () => {
    const { networks } = newNetworks()
    for (let number = 0; number < 20; number++) {
      networks.create({ Name: `n${number}`, EnableIPv6: true })
    }
    const subnets = networks
      .list()
      .flatMap(
        ({ IPAM }) => (IPAM as { Config: readonly { Subnet: string }[] | null }).Config ?? [],
      )
      .map(({ Subnet }) => Subnet)
    assert.equal(subnets.length, 41)
    assert.equal(new Set(subnets).size, 41)
    assert.ok(subnets.some((subnet) => /^192\.168\.\d+\.0\/20$/.test(subnet)))
    const version6 = subnets.filter((subnet) => subnet.includes(':'))
    const own = new Set(version6.map((subnet) => subnet.split(':').slice(0, 3).join(':')))
    assert.equal(own.size, 1)
    assert.match(version6[0] ?? '', /^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/)
    networks.create({ Name: 'six', EnableIPv4: false, EnableIPv6: true })
    const { IPAM } = networks.inspect('six')
    assert.equal((IPAM as { Config: readonly unknown[] }).Config.length, 1)
  })

  for (const [body, code, message] of WRONG_NETWORKS) {
    it(`refuse ${JSON.stringify(body)}`, () => {
      const { networks } = newNetworks()
      networks.create({ Name: 'n1', IPAM: { Config: [{ Subnet: '10.9.0.0/24' }] } })
      assert.throws(() => networks.create({ Name: 'wrong', ...body }), { code, message })
      assert.equal(networks.list().length, 4)
    })
  }

  it('are found by name, id and its beginning, and listed by filters', async () => {
    const { networks } = newNetworks()
    const { id } = networks.create({ Name: 'one', Labels: { x: 'y' } })
    networks.create({ Name: 'once', Internal: true })
    for (const text of [id, 'one', id.slice(0, 12), id.slice(0, 5)]) {
      assert.equal(networks.find(text).name, 'one')
    }
    const missing = { code: 'NOT_FOUND', message: 'network nope not found' }
    assert.throws(() => networks.inspect('nope'), missing)
    await assert.rejects(networks.remove('nope'), missing)
    const all = ['bridge', 'host', 'none', 'one', 'once']
    for (const [filters, names] of [
      [{ name: ['on'] }, ['none', 'one', 'once']],
      [{ name: ['^on[a-z]$'] }, ['one']],
      [{ name: ['^on.*e$'] }, ['one', 'once']],
      [{ name: ['(o+)+$'] }, []],
      [{ type: ['custom'] }, ['one', 'once']],
      [{ type: ['builtin'] }, ['bridge', 'host', 'none']],
      [{ driver: ['host'] }, ['host']],
      [{ driver: { bridge: true } }, ['bridge', 'one', 'once']],
      [{ scope: ['local'] }, all],
      [{ scope: ['swarm'] }, []],
      [{ label: ['x'] }, ['one']],
      [{ label: ['x=z'] }, []],
      [{ id: [id.slice(0, 6)] }, ['one']],
      [{ dangling: ['true'] }, ['one', 'once']],
      [{ dangling: ['0'] }, []],
    ] as const) {
      assert.deepEqual(named(networks, filters), names, JSON.stringify(filters))
    }
    for (const [filters, code, message] of [
      [{ foo: ['x'] }, 'USAGE', "invalid filter 'foo'"],
      [{ type: ['x'] }, 'IO_FAILED', "invalid filter: 'type'='x'"],
      [
        { dangling: ['x'] },
        'USAGE',
        'invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
      ],
    ] as const) {
      assert.throws(() => named(networks, filters), { code, message })
    }
  })

  it('are removed, but for those that every engine has', async () => {
    const { networks, events } = newNetworks()
    for (const name of ['bridge', 'host', 'none']) {
      await assert.rejects(networks.remove(name), {
        code: 'PERMISSION_DENIED',
        message: `${name} is a pre-defined network and cannot be removed`,
      })
    }
    const { id } = networks.create({ Name: 'one' })
    await networks.remove(id.slice(0, 12))
    assert.deepEqual(
      events.map(({ Action, attributes }) => [Action, attributes?.name]),
      [
        ['create', 'one'],
        ['destroy', 'one'],
      ],
    )
    networks.create({ Name: 'one' })
    networks.create({ Name: 'two', Labels: { keep: 'yes' } })
    networks.create({ Name: 'three' })
    const prune = (filters: object): Promise<readonly string[]> =>
      networks.prune(JSON.stringify(filters))
    assert.deepEqual(await prune({ until: ['1h'] }), [])
    assert.deepEqual(await prune({ 'label!': ['keep'] }), ['one', 'three'])
    assert.deepEqual(await prune({ label: ['keep=yes'] }), ['two'])
    assert.deepEqual(named(networks), ['bridge', 'host', 'none'])
    await assert.rejects(prune({ name: ['x'] }), {
      code: 'USAGE',
      message: "invalid filter 'name'",
    })
  })

  it('check what a container asks for before it is made', () => {
    const { networks } = newNetworks()
    networks.create({ Name: 'n1', IPAM: { Config: [{ Subnet: '10.9.0.0/24' }] } })
    const settings = 'invalid endpoint settings:\n'
    for (const [mode, endpoint, message] of [
      [
        'bridge',
        { IPAMConfig: { IPv4Address: '172.17.0.50' } },
        `invalid config for network bridge: ${settings}user-specified IP address is supported on user-defined networks only`,
      ],
      [
        'bridge',
        { Aliases: ['x'] },
        `invalid config for network bridge: ${settings}network-scoped aliases are only supported for user-defined networks`,
      ],
      [
        'n1',
        { IPAMConfig: { IPv4Address: '10.10.0.5' } },
        `invalid config for network n1: ${settings}no configured subnet contains IP address 10.10.0.5`,
      ],
      [
        'n1',
        { IPAMConfig: { IPv4Address: 'bogus' } },
        'invalid JSON: ParseAddr("bogus"): unable to parse IP',
      ],
      ['n1', { MacAddress: 'bogus' }, 'invalid JSON: address bogus: invalid MAC address'],
    ] as const) {
      const NetworkingConfig = { EndpointsConfig: { [mode]: endpoint } }
      const record = recordOf('c', { HostConfig: { NetworkMode: mode }, NetworkingConfig })
      assert.throws(() => networks.check(record), { code: 'USAGE', message })
    }
    for (const [PortBindings, message] of [
      [{ '80/tcp': [{ HostPort: 'x' }] }, 'invalid port specification: "x"'],
      [{ '80/tcp': [{ HostPort: '80-70' }] }, 'invalid port specification: "80-70"'],
      [{ '80/tcp': [{ HostPort: '99999' }] }, 'invalid port specification: "99999"'],
      [{ '99999/tcp': [] }, "invalid JSON: invalid port '99999': value out of range"],
      [{ '80/tcp': [{ HostIp: 'bogus' }] }, 'invalid JSON: ParseAddr("bogus"): unable to parse IP'],
    ] as const) {
      const record = recordOf('c', { HostConfig: { PortBindings } })
      assert.throws(() => networks.check(record), { code: 'USAGE', message })
    }
    assert.deepEqual(networks.check(recordOf('c')), [])
    const PortBindings = { '80/tcp': [{ HostPort: '80' }] }
    const host = recordOf('c', { HostConfig: { NetworkMode: 'host', PortBindings } })
    assert.deepEqual(networks.check(host), [
      'Published ports are discarded when using host network mode',
    ])
  })

  it('are said of a container that does not run', async () => {
    const { networks } = newNetworks()
    const { id } = networks.create({ Name: 'n1' })
    const record = recordOf('web', {
      HostConfig: { NetworkMode: 'n1' },
      NetworkingConfig: { EndpointsConfig: { n1: { Aliases: ['www'] } } },
    })
    const created = networks.settings(record)
    const empty = {
      IPAMConfig: null,
      Links: null,
      Aliases: ['www'],
      DriverOpts: null,
      GwPriority: 0,
      NetworkID: '',
      EndpointID: '',
      Gateway: '',
      IPAddress: '',
      MacAddress: '',
      IPPrefixLen: 0,
      IPv6Gateway: '',
      GlobalIPv6Address: '',
      GlobalIPv6PrefixLen: 0,
      DNSNames: null,
    }
    const whole = { SandboxID: '', SandboxKey: '', Ports: {} }
    assert.deepEqual(created, { ...whole, Networks: { n1: empty } })
    const ended = { ...record, state: { ...record.state, status: 'exited' as const } }
    const DNSNames = ['web', 'www', record.id.slice(0, 12)]
    const rested = { ...empty, NetworkID: id, DNSNames }
    assert.deepEqual(networks.settings(ended), { ...whole, Networks: { n1: rested } })
    networks.create({ Name: 'n2' })
    const connected = await networks.connect(record, 'n2', { Aliases: ['two'] })
    const endpoints = connected(record.endpoints)
    assert.deepEqual(endpoints, { n1: { Aliases: ['www'] }, n2: { Aliases: ['two'] } })
    const disconnected = await networks.disconnect({ ...record, endpoints }, 'n1')
    assert.deepEqual(disconnected(endpoints), { n2: { Aliases: ['two'] } })
    // Another one was connected meanwhile.
    assert.deepEqual(Object.keys(connected({ ...endpoints, n3: {} })), ['n1', 'n3', 'n2'])
    await assert.rejects(networks.disconnect(record, 'n2'), {
      message: `container ${record.id} is not connected to network n2`,
    })
    for (const [mode, target, message] of [
      [
        'n1',
        'host',
        'cannot connect container to host network - container must be created in host network mode',
      ],
      [
        'n1',
        'none',
        'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      ],
      [
        'none',
        'n1',
        'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      ],
      [
        'host',
        'n1',
        'container sharing network namespace with another container or host cannot be connected to any other network',
      ],
    ] as const) {
      const other = recordOf('c', { HostConfig: { NetworkMode: mode } })
      await assert.rejects(networks.connect(other, target), { code: 'USAGE', message })
    }
  })
})
