import assert from 'node:assert/strict'
import type { JsonObject } from '#core'
import type { NetworkCreateBody } from '#engine/model'
import { type NetworkRecord, Networks } from '#engine/networks'
import { startLab } from '../../support/networks/index.ts'
import { run, startDockerd } from '../../support/peers/index.ts'
import { memoryDocuments } from '../support/memory-documents.ts'

describe('networks of an engine beside dockerd', () => {
  it('have the same documents for the same requests', async () => {
    await using lab = await startLab()
    await using dockerd = await startDockerd({ network: lab.path('host') })
    const networks = new Networks({
      documents: memoryDocuments<NetworkRecord>(),
      emit: () => undefined,
      open: () => Promise.reject(new Error('nothing runs')),
    })
    const ask = async (path: string, body?: object): Promise<JsonObject> => {
      const data =
        body === undefined
          ? []
          : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(body)]
      const words = ['-sS', '--unix-socket', dockerd.socket, `http://docker/v1.41${path}`, ...data]
      return JSON.parse((await run('curl', words)).stdout)
    }
    for (const body of BODIES) {
      const { Id, ...answer } = await ask('/networks/create', body)
      assert.match(String(Id), /^[0-9a-f]{64}$/, JSON.stringify(answer))
      networks.create(body)
      const theirs = await ask(`/networks/${body.Name}`)
      const ours = networks.inspect(body.Name)
      const gateways = (body.IPAM?.Config ?? []).flatMap(({ Gateway }) => Gateway ?? [])
      assert.deepEqual(shared(ours, gateways), shared(theirs, gateways))
    }
    for (const name of ['host', 'none']) {
      assert.deepEqual(shared(networks.inspect(name)), shared(await ask(`/networks/${name}`)))
    }
    for (const filters of FILTERS) {
      const query = encodeURIComponent(JSON.stringify(filters))
      const theirs = (await ask(`/networks?filters=${query}`)) as unknown as readonly JsonObject[]
      const names = theirs.map(({ Name }) => String(Name)).sort()
      const ours = networks.list(JSON.stringify(filters)).map(({ Name }) => String(Name))
      assert.deepEqual(ours.sort(), names, JSON.stringify(filters))
      assert.notEqual(names.length, 0)
    }
  })
})

/**
 * Without what is new with each network, and what dockerd of API 1.41 does not say.
 * @param gateways those that were asked for: dockerd says others later
 */
function shared(document: JsonObject, gateways: readonly string[] = []): JsonObject {
  const { Id, Created, Status, EnableIPv4, ...rest } = document
  const { Options, ...ipam } = rest.IPAM as JsonObject
  const configs = (ipam.Config ?? []) as readonly JsonObject[]
  const Config = configs.map(({ Gateway, ...config }) =>
    gateways.includes(String(Gateway)) ? { ...config, Gateway: String(Gateway) } : config,
  )
  // Nothing is null in one and empty in the other.
  return { ...rest, IPAM: { ...ipam, Config, Options: Options ?? {} } }
}

const BODIES: readonly (NetworkCreateBody & { readonly Name: string })[] = [
  {
    Name: 'whole',
    Driver: 'bridge',
    Attachable: true,
    Labels: { x: 'y', empty: '' },
    Options: { 'com.docker.network.driver.mtu': '1400', unknown: 'kept' },
    IPAM: {
      Driver: 'default',
      Options: {},
      Config: [
        {
          Subnet: '10.9.0.0/24',
          IPRange: '10.9.0.128/25',
          Gateway: '10.9.0.254',
          AuxiliaryAddresses: { a: '10.9.0.130' },
        },
      ],
    },
  },
  { Name: 'inner', Internal: true, IPAM: { Config: [{ Subnet: '10.10.0.0/16' }] } },
  {
    Name: 'ranged',
    IPAM: { Config: [{ Subnet: '10.77.0.0/16', IPRange: '10.77.5.0/24' }] },
  },
  {
    Name: 'six',
    EnableIPv6: true,
    IPAM: { Config: [{ Subnet: '10.11.0.0/16' }, { Subnet: 'fd00:9::/64' }] },
  },
]

const FILTERS: readonly Readonly<Record<string, readonly string[]>>[] = [
  { name: ['in'] },
  { name: ['^in'] },
  { driver: ['bridge'] },
  { type: ['custom'] },
  { type: ['builtin'] },
  { label: ['x'] },
  { label: ['x=y'] },
  { scope: ['local'] },
  { dangling: ['true'] },
]
