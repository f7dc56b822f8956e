import type { NetworkCreateBody } from '#engine/model'

const config = 'invalid network config:\n'

/** What is wrong with a request, and what today's dockerd says to it; a network n1 has 10.9.0.0/24. */
export const WRONG_NETWORKS: readonly (readonly [NetworkCreateBody, string, string])[] = [
  [{ Name: 'n1' }, 'CONFLICT', 'network with name n1 already exists'],
  [{ Name: '' }, 'USAGE', 'invalid name: name is empty'],
  ...['bridge', 'host', 'none', 'default'].map(
    (Name) =>
      [
        { Name },
        'PERMISSION_DENIED',
        `operation is not permitted on predefined ${Name} network `,
      ] as const,
  ),
  [{ Driver: 'foo' }, 'NOT_FOUND', 'plugin "foo" not found'],
  [{ Driver: 'host' }, 'PERMISSION_DENIED', 'only one instance of "host" network is allowed'],
  [{ EnableIPv4: false }, 'USAGE', 'IPv4 or IPv6 must be enabled'],
  [
    { Scope: 'swarm' },
    'PERMISSION_DENIED',
    'cannot create a swarm scoped network when swarm is not active',
  ],
  [{ IPAM: { Driver: 'foo' } }, 'NOT_FOUND', 'plugin "foo" not found'],
  [
    { Options: { 'com.docker.network.driver.mtu': 'x' } },
    'USAGE',
    'failed to parse com.docker.network.driver.mtu value: x (strconv.Atoi: parsing "x": invalid syntax)',
  ],
  [
    { Options: { 'com.docker.network.bridge.enable_icc': 'x' } },
    'USAGE',
    'failed to parse com.docker.network.bridge.enable_icc value: x (strconv.ParseBool: parsing "x": invalid syntax)',
  ],
  ...(
    [
      [{ Subnet: '10.9' }, 'USAGE', `invalid JSON: netip.ParsePrefix("10.9"): no '/'`],
      [
        { Subnet: '10.8.0.0/24', Gateway: '10.7.0.1' },
        'USAGE',
        `${config}invalid gateway 10.7.0.1: parent subnet 10.8.0.0/24 doesn't contain this address`,
      ],
      [
        { Subnet: '10.8.0.1/24' },
        'USAGE',
        `${config}invalid subnet 10.8.0.1/24: it should be 10.8.0.0/24`,
      ],
      [
        { Subnet: '10.8.0.0/24', IPRange: '10.7.0.0/25' },
        'USAGE',
        `${config}invalid ip-range 10.7.0.0/25: parent subnet 10.8.0.0/24 doesn't contain ip-range`,
      ],
      [
        { Gateway: '10.8.0.1' },
        'USAGE',
        `${config}invalid gateway 10.8.0.1: parent subnet invalid Prefix doesn't contain this address`,
      ],
      [
        { Subnet: '10.8.0.0/24', AuxiliaryAddresses: { a: '1.1.1.1' } },
        'USAGE',
        `${config}invalid auxiliary address a: parent subnet 10.8.0.0/24 doesn't contain this address`,
      ],
      [
        { Subnet: '10.8.0.0/24', IPRange: '10.8.0.0/16' },
        'USAGE',
        `${config}invalid ip-range 10.8.0.0/16: CIDR block is bigger than its parent subnet 10.8.0.0/24`,
      ],
      [
        { Subnet: '10.9.0.0/16' },
        'PERMISSION_DENIED',
        'invalid pool request: Pool overlaps with other one on this address space',
      ],
    ] as const
  ).map(([one, code, message]) => [{ IPAM: { Config: [one] } }, code, message] as const),
  [
    { IPAM: { Config: [{ Subnet: '10.20.0.0/24' }, { Subnet: '10.21.0.0/24' }] } },
    'PERMISSION_DENIED',
    "bridge driver doesn't support multiple subnets",
  ],
]
