import assert from 'node:assert/strict'
import {
  chooseAddresses,
  freeNumber,
  STEPS,
} from '../../../../builder/network/hub/hub-addresses.ts'
import { findOutlets } from '../../../../builder/network/hub/outlets.ts'
import { type Address, addressText } from '../../../../builder/network/links/address.ts'
import type { Link, Route } from '../../../../builder/network/links/host-links.ts'

describe('network: what a hub gets of its host', () => {
  it('is a network that no route of the host leads to', () => {
    const to = (address: readonly number[], length: number): Route =>
      route(Uint8Array.from(address), length)
    const cases = [
      [[], '198.18.128.1'],
      [[to([0, 0, 0, 0], 0), to([128, 0, 0, 0], 1)], '198.18.128.1'],
      [[to([198, 18, 7, 0], 24)], '198.19.128.1'],
      [[to([198, 18, 0, 0], 15)], '10.255.128.1'],
      [[to([198, 18, 0, 0], 15), to([10, 0, 0, 0], 8)], '172.31.128.1'],
      [[to([198, 18, 0, 0], 15), to([10, 0, 0, 0], 8), to([172, 31, 9, 9], 32)], '172.30.128.1'],
    ] as const
    for (const [routes, gateway] of cases) {
      const addresses = chooseAddresses(0, routes, { version6: false })
      assert.deepEqual(addresses.gateway.map(addressText), [gateway])
    }
    const all = [to([198, 18, 0, 0], 15), to([10, 0, 0, 0], 8), to([172, 16, 0, 0], 12)]
    assert.throws(() => chooseAddresses(0, all, { version6: false }))
  })

  it('has another address for each hub and each step', () => {
    const { hub, host, gateway, stepAt } = chooseAddresses(2, [], { version6: true })
    const other = chooseAddresses(3, [], { version6: true })
    const steps = [0, 1, 254, 255, STEPS - 1].flatMap((number) => stepAt(number))
    const all = [...hub, ...other.hub, ...host, ...gateway, ...steps].map(addressText)
    assert.equal(new Set(all).size, all.length)
    assert.deepEqual(stepAt(255).map(addressText)[0], '198.18.129.1')
    assert.deepEqual(stepAt(STEPS - 1).map(addressText)[0], '198.18.255.241')
    assert.equal(freeNumber(['tsbuild0', 'eth0', 'tsbuild2']), 1)
  })

  it('leads out by the links to other machines, not by those to containers', () => {
    const links = [
      link(1, 'lo', { isLoopback: true }),
      link(2, 'eth0', { mtu: 1400 }),
      link(3, 'docker0', { kind: 'bridge' }),
      link(4, 'wg0', { kind: 'wireguard' }),
      link(5, 'tsbuild0', { kind: 'veth' }),
      link(6, 'eth1', { isUp: false }),
      link(7, 'eth2', {}),
    ]
    const near = Uint8Array.of(0xfe, 0x80, ...new Uint8Array(14))
    const routes = [
      route(new Uint8Array(4), 0, 2),
      ...[3, 4, 5, 6].map((index) => route(Uint8Array.of(172, index, 0, 0), 16, index)),
      route(Uint8Array.of(127, 0, 0, 0), 8, 1),
      route(near, 64, 7),
    ]
    const outlets = findOutlets(links, routes)
    assert.deepEqual(outlets, { names: ['eth0', 'wg0'], version6: false, mtu: 1400 })
    const bridged = findOutlets(links, [
      route(new Uint8Array(4), 0, 3),
      route(new Uint8Array(16), 0, 3),
    ])
    assert.deepEqual(bridged, { names: ['docker0'], version6: true, mtu: 1500 })
  })
})

function route(address: Address, length: number, ...links: readonly number[]): Route {
  return { to: { address, length }, links, leadsOut: true, isLocal: false }
}

function link(index: number, name: string, differences: Partial<Link>): Link {
  return { index, name, kind: '', mtu: 1500, isUp: true, isLoopback: false, ...differences }
}
