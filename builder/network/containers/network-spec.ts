/** A network of containers. Addresses are as people write them. */
export interface NetworkSpec {
  /** No other network has it. */
  readonly key: string
  /** What it is called, behind the names of its containers. */
  readonly name: string
  readonly subnets: readonly SubnetSpec[]
  /** Where its containers get to besides each other. */
  readonly reach: 'world' | 'nowhere'
  /** Whether its containers reach each other. */
  readonly peers: 'reached' | 'isolated'
  /** Whether other machines see the host in place of the containers. */
  readonly translation: 'masquerade' | 'none'
  /** Bytes of the largest packet; absent: what fits the links of the host. */
  readonly mtu?: number | undefined
}

/** Addresses of a network. */
export interface SubnetSpec {
  /** `192.0.2.0/24` */
  readonly subnet: string
  /** The network's own address in it; absent: it has none, and is not left by this version. */
  readonly gateway: string | undefined
}

/** A container in a network. */
export interface EndpointSpec {
  /** What the link is called in the container; absent: `eth0`, `eth1`, … */
  readonly link?: string | undefined
  /** What stands for `eth` in that. */
  readonly linkPrefix?: string | undefined
  /** `02:42:c0:00:02:02` */
  readonly hardwareAddress: string
  readonly version4?: string | undefined
  readonly version6?: string | undefined
  /** What others of the network find it by, and first what its address is said to have; none where names are not served. */
  readonly names: readonly string[]
  /** Names that only this container has for others of the network: its own, and theirs. */
  readonly links?: readonly (readonly [own: string, theirs: string])[]
}
