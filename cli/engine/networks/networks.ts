import { EngineError, pathOf } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import { expectArguments } from '../../arguments/flags.ts'
import { note, print } from '../../terminal/shell.ts'
import { cleanText } from '../../terminal/text.ts'
import { filtersOf } from '../connect/filters.ts'
import { forEachName, withEngine } from '../connect/with-engine.ts'
import { integerOf, pairs, withoutEmpty } from '../create/values.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { goTimeOf, truncateId } from '../format/human.ts'
import { type Fields, objectOf, objectsOf } from '../format/json.ts'
import { type ListKind, printList } from '../format/list.ts'
import { inspectCommand } from '../inspect/inspect-of.ts'
import { FILTERS, FORMAT, QUIET_IDS } from '../lists/flags.ts'
import { LABEL_COLUMNS } from '../lists/label-columns.ts'
import { NETWORK_PRUNE } from '../system/prune.ts'
import { parseSubnets } from './ipam.ts'

const MANY = { repeat: true } as const

const CREATE: EngineCommand = {
  name: 'create',
  summary: 'Make a network',
  usage: 'tsbuild network create [flags] NETWORK',
  flags: [
    ...flagsOf('Network', {
      'd, driver DRIVER': 'What makes it (default: bridge)',
      internal: 'It leads nowhere else',
      attachable: 'Containers may be attached to it by hand',
      ingress: "It is the swarm's",
      ipv4: 'Its containers have IPv4 addresses (default: true)',
      ipv6: 'Its containers have IPv6 addresses',
      'scope SCOPE': 'Where it is: local',
      'config-only': 'It is only settings for others',
      'config-from NETWORK': 'Take the settings of that network',
      'ipam-driver DRIVER': 'What gives out addresses (default: default)',
    }),
    ...flagsOf(
      'Network',
      {
        'subnet CIDR': 'Addresses of the network: 10.1.0.0/16',
        'ip-range CIDR': 'Addresses that containers get, a part of the subnet',
        'gateway IP': 'The address of the way out',
        'aux-address NAME=IP': 'An address that no container gets',
        'ipam-opt NAME=VALUE': 'A setting of what gives out addresses',
        'label NAME[=VALUE]': 'Give it a label',
        'o, opt NAME=VALUE': 'A setting of its driver',
      },
      MANY,
    ),
    ...ENGINE_FLAGS,
  ],
  examples: [
    ['tsbuild network create back', 'then tsbuild run --network back …'],
    ['tsbuild network create --subnet 10.9.0.0/24 --internal db', 'with addresses of your choice'],
  ],
  run: async (args, shell) => {
    const usage = 'tsbuild network create [flags] NETWORK'
    const [name = ''] = expectArguments(args, { least: 1, most: 1, usage })
    const [ipv4, ipv6] = [args.text('ipv4'), args.text('ipv6')]
    const from = args.text('config-from')
    const value = {
      Name: name,
      Driver: args.text('driver') ?? 'bridge',
      CheckDuplicate: true,
      ...withoutEmpty({
        Scope: args.text('scope'),
        Internal: args.has('internal'),
        Attachable: args.has('attachable'),
        Ingress: args.has('ingress'),
        ConfigOnly: args.has('config-only'),
      }),
      ...(ipv4 === undefined ? {} : { EnableIPv4: ipv4 === 'true' }),
      ...(ipv6 === undefined ? {} : { EnableIPv6: ipv6 === 'true' }),
      ...(from === undefined ? {} : { ConfigFrom: { Network: from } }),
      IPAM: {
        Driver: args.text('ipam-driver') ?? 'default',
        Options: pairs(args.list('ipam-opt')),
        Config: parseSubnets(args),
      },
      Options: pairs(args.list('opt')),
      Labels: pairs(args.list('label')),
    }
    return await withEngine(args, shell, async ({ client }) => {
      const path = '/networks/create'
      const answer = await client.json({ method: 'POST', path, body: { kind: 'json', value } })
      const { Id, Warning } = objectOf(answer)
      if (typeof Warning === 'string' && Warning !== '')
        note(shell, cleanText(`WARNING: ${Warning}`))
      await print(shell, `${Id}\n`)
      return 0
    })
  },
}

const CONNECT: EngineCommand = {
  name: 'connect',
  summary: 'Connect a container with a network',
  usage: 'tsbuild network connect [flags] NETWORK CONTAINER',
  flags: [
    ...flagsOf('Network', {
      'ip IP': 'Its IPv4 address there',
      'ip6 IP': 'Its IPv6 address there',
      'gw-priority N': 'The network of the highest number is the way out',
    }),
    ...flagsOf(
      'Network',
      {
        'alias NAME': 'Another name on it',
        'link CONTAINER[:ALIAS]': 'Let it reach another container by that name',
        'link-local-ip IP': 'A link-local address',
        'driver-opt NAME=VALUE': "A setting of the network's driver",
      },
      MANY,
    ),
    ...ENGINE_FLAGS,
  ],
  examples: [],
  run: async (args, shell) => {
    const usage = 'tsbuild network connect [flags] NETWORK CONTAINER'
    const [network = '', container = ''] = expectArguments(args, { least: 2, most: 2, usage })
    const addresses = {
      IPv4Address: args.text('ip'),
      IPv6Address: args.text('ip6'),
      LinkLocalIPs: args.list('link-local-ip'),
    }
    const endpoint = withoutEmpty({
      IPAMConfig: withoutEmpty(addresses),
      Links: args.list('link'),
      Aliases: args.list('alias'),
      DriverOpts: pairs(args.list('driver-opt')),
      GwPriority: integerOf(args, 'gw-priority'),
    })
    const value = { Container: container, EndpointConfig: endpoint }
    return await withEngine(args, shell, async ({ client }) => {
      const path = pathOf`/networks/${network}/connect`
      await client.json({ method: 'POST', path, body: { kind: 'json', value } })
      return 0
    })
  },
}

const DISCONNECT: EngineCommand = {
  name: 'disconnect',
  summary: 'Disconnect a container from a network',
  usage: 'tsbuild network disconnect [flags] NETWORK CONTAINER',
  flags: [...flagsOf('How', { 'f, force': 'Also when the container is gone' }), ...ENGINE_FLAGS],
  examples: [],
  run: async (args, shell) => {
    const usage = 'tsbuild network disconnect [flags] NETWORK CONTAINER'
    const [network = '', container = ''] = expectArguments(args, { least: 2, most: 2, usage })
    const value = { Container: container, Force: args.has('force') }
    return await withEngine(args, shell, async ({ client }) => {
      const path = pathOf`/networks/${network}/disconnect`
      await client.json({ method: 'POST', path, body: { kind: 'json', value } })
      return 0
    })
  },
}

function listKind(isWhole: boolean): ListKind<Fields> {
  const text =
    (name: string) =>
    (item: Fields): string =>
      String(item[name] ?? '')
  return {
    columns: {
      ID: ['NETWORK ID', ({ Id }) => (isWhole ? String(Id) : truncateId(String(Id)))],
      Name: ['NAME', text('Name')],
      Driver: ['DRIVER', text('Driver')],
      Scope: ['SCOPE', text('Scope')],
      IPv4: ['IPV4', ({ EnableIPv4 }) => String(EnableIPv4 !== false)],
      IPv6: ['IPV6', ({ EnableIPv6 }) => String(EnableIPv6 === true)],
      Internal: ['INTERNAL', ({ Internal }) => String(Internal === true)],
      ...LABEL_COLUMNS,
      CreatedAt: ['CREATED AT', ({ Created }) => goTimeOf(String(Created ?? ''))],
    },
    table: ['ID', 'Name', 'Driver', 'Scope'],
    quiet: '{{.ID}}',
  }
}

const LS: EngineCommand = {
  name: 'ls',
  aliases: ['list'],
  summary: 'List networks',
  usage: 'tsbuild network ls [flags]',
  flags: [...FILTERS, ...QUIET_IDS, ...FORMAT, ...ENGINE_FLAGS],
  examples: [],
  run: async (args, shell) => {
    expectArguments(args, { least: 0, most: 0, usage: 'tsbuild network ls [flags]' })
    return await withEngine(args, shell, async ({ client }) => {
      const answer = await client.json({ path: '/networks', query: { filters: filtersOf(args) } })
      const items = objectsOf(answer)
      const sorted = items.toSorted((a, b) => (String(a.Name) < String(b.Name) ? -1 : 1))
      await printList(sorted, listKind(args.has('no-trunc')), { args, shell })
      return 0
    })
  },
}

const RM: EngineCommand = {
  name: 'rm',
  aliases: ['remove'],
  summary: 'Remove networks that no container uses',
  usage: 'tsbuild network rm [flags] NETWORK…',
  flags: [
    ...flagsOf('How', { 'f, force': 'Those that are not there are none of an error' }),
    ...ENGINE_FLAGS,
  ],
  examples: [],
  run: async (args, shell) => {
    const usage = 'tsbuild network rm [flags] NETWORK…'
    const names = expectArguments(args, { least: 1, most: 10_000, usage })
    return await withEngine(args, shell, async ({ client }) => {
      return await forEachName(names, shell, async (name) => {
        const removal = client.json({ method: 'DELETE', path: pathOf`/networks/${name}` })
        await (args.has('force') ? ignoringMissing(removal) : removal)
        await print(shell, `${name}\n`)
      })
    })
  },
}

async function ignoringMissing(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (cause) {
    if (!(cause instanceof EngineError && cause.status === 404)) throw cause
  }
}

/** `tsbuild network …` */
export const NETWORK_COMMANDS: readonly EngineCommand[] = [
  CREATE,
  LS,
  inspectCommand('network'),
  CONNECT,
  DISCONNECT,
  RM,
  NETWORK_PRUNE,
]
