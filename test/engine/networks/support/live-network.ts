import {
  type LiveEndpoint,
  LiveNetwork,
} from '../../../../engine/networks/endpoints/live-network.ts'

export type Endpoint = LiveEndpoint

/** A network without a bridge, whose containers are called by their ids. */
export function liveNetwork(subnet: string): {
  enter(id: string, address?: string): Endpoint
  leave(endpoint: Endpoint | undefined): void
  close(): Promise<void>
} {
  const network = new LiveNetwork(
    {
      ...{ id: 'n'.repeat(64), name: 'n', created: '', driver: 'bridge' },
      ...{ enableIPv4: true, enableIPv6: false, isInternal: false, isAttachable: false },
      ipam: { Config: [{ Subnet: subnet, Gateway: subnet.replace(/0\/\d+$/, '1') }] },
      ...{ options: {}, labels: {} },
    },
    () => Promise.reject(new Error('there is no bridge')),
  )
  return {
    enter: (id, address) =>
      network.enter({
        container: { id, name: id },
        config: address === undefined ? {} : { IPAMConfig: { IPv4Address: address } },
      }),
    leave: (endpoint) => {
      if (endpoint !== undefined) network.leave(endpoint)
    },
    close: () => network.close(),
  }
}
