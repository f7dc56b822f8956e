/** What an engine that does nothing answers: documents that have something in every column of every list. */

/** An answer of the engine. */
export interface Canned {
  readonly status?: number
  readonly body?: unknown
}

const ID = 'a'.repeat(64)
const IMAGE_ID = `sha256:${'b'.repeat(64)}`

const CONTAINER = {
  Id: ID,
  Name: '/web',
  Created: '2020-01-31T12:00:00.000000001Z',
  Path: 'sh',
  Args: [],
  Image: IMAGE_ID,
  State: {
    Status: 'running',
    Running: true,
    Paused: false,
    Restarting: false,
    OOMKilled: false,
    Dead: false,
    Pid: 7,
    ExitCode: 0,
    Error: '',
    StartedAt: '2020-01-31T12:00:01Z',
    FinishedAt: '0001-01-01T00:00:00Z',
  },
  Config: {
    Tty: false,
    OpenStdin: true,
    Image: 'busybox',
    Env: ['A=1', 'B=<&>'],
    Labels: { a: 'b' },
  },
  HostConfig: { AutoRemove: false, NetworkMode: 'bridge' },
  NetworkSettings: {
    Ports: {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '10.0.0.1', HostPort: '8080' },
      ],
      '53/udp': [{ HostIp: '127.0.0.1', HostPort: '5353' }],
      '443/tcp': null,
    },
    Networks: {},
  },
  Mounts: [],
}

const port = (PrivatePort: number, PublicPort?: number, IP?: string, Type = 'tcp'): object => ({
  PrivatePort,
  ...(PublicPort === undefined ? {} : { PublicPort, IP }),
  Type,
})

const CONTAINERS = [
  {
    Id: ID,
    Names: ['/web', '/other/alias'],
    Image: 'registry.example:5000/group/image:tag@sha256:'.concat('c'.repeat(64)),
    ImageID: IMAGE_ID,
    Command: 'sh -c "while true; do sleep 1; done"',
    Created: 1_580_000_000,
    Ports: [
      ...[8000, 8001, 8002].map((number) => port(number, number, '0.0.0.0')),
      ...[8000, 8001, 8002].map((number) => port(number, number, '10.0.0.1')),
      port(80, 8080, '127.0.0.1'),
      port(53, 53, '0.0.0.0', 'udp'),
      port(443),
      port(444),
      port(446),
      port(9000, undefined, undefined, 'sctp'),
    ],
    Labels: { z: 'last', a: 'first', empty: '' },
    State: 'running',
    Status: 'Up 2 hours (healthy)',
    SizeRw: 1_234_567,
    SizeRootFs: 98_765_432,
    HostConfig: { NetworkMode: 'net' },
    NetworkSettings: { Networks: { net: {} } },
    Mounts: [
      { Type: 'volume', Name: 'a-volume-with-a-long-name', Driver: 'local', Destination: '/v' },
      { Type: 'bind', Source: '/a/path', Destination: '/b' },
    ],
  },
  {
    Id: 'd'.repeat(64),
    Names: ['/done'],
    Image: 'b'.repeat(64),
    ImageID: IMAGE_ID,
    Command: 'true',
    Created: 1_600_000_000,
    Ports: [],
    Labels: {},
    State: 'exited',
    Status: 'Exited (3) 5 weeks ago',
    HostConfig: { NetworkMode: 'none' },
    NetworkSettings: { Networks: { none: {} } },
    Mounts: [],
  },
]

const VOLUMES = [
  {
    CreatedAt: '2020-01-31T12:00:00Z',
    Driver: 'local',
    Labels: { a: 'b' },
    Mountpoint: '/m/data',
    Name: 'data',
    Options: null,
    Scope: 'local',
  },
  { Driver: 'nfs', Labels: null, Mountpoint: '/m/b', Name: 'b', Options: null, Scope: 'global' },
]

const NETWORKS = ['net', 'bridge', 'a-network-with-a-long-name'].map((Name, index) => ({
  Name,
  Id: String(index).repeat(64),
  Created: '2020-01-31T12:00:00.5Z',
  Scope: 'local',
  Driver: 'bridge',
  EnableIPv4: true,
  EnableIPv6: index === 0,
  Internal: index === 1,
  Labels: index === 0 ? { a: 'b' } : {},
}))

const USAGE = {
  LayersSize: 10_000_000,
  Images: [
    {
      Id: IMAGE_ID,
      RepoTags: ['busybox:latest'],
      Created: 1_580_000_000,
      Size: 4_000_000,
      VirtualSize: 4_000_000,
      SharedSize: 1_000_000,
      Containers: 1,
      Labels: null,
    },
    {
      Id: `sha256:${'e'.repeat(64)}`,
      RepoTags: null,
      Created: 1_580_000_000,
      Size: 6_000_000,
      VirtualSize: 6_000_000,
      SharedSize: 0,
      Containers: 0,
      Labels: null,
    },
  ],
  Containers: CONTAINERS,
  Volumes: [
    { ...VOLUMES[0], UsageData: { Size: 5_000, RefCount: 1 } },
    { ...VOLUMES[1], UsageData: { Size: 7_000, RefCount: 0 } },
  ],
  BuildCache: [
    {
      ID: 'step',
      Type: 'regular',
      Description: 'x',
      InUse: false,
      Shared: false,
      Size: 2_000_000,
      CreatedAt: '2020-01-31T12:00:00Z',
      LastUsedAt: '2020-02-01T12:00:00Z',
      UsageCount: 3,
    },
  ],
}

const STATS = {
  id: ID,
  name: '/web',
  read: '2020-01-31T12:00:01Z',
  preread: '2020-01-31T12:00:00Z',
  pids_stats: { current: 7 },
  cpu_stats: {
    cpu_usage: { total_usage: 3_000_000_000 },
    system_cpu_usage: 20_000_000_000,
    online_cpus: 4,
  },
  precpu_stats: {
    cpu_usage: { total_usage: 2_000_000_000 },
    system_cpu_usage: 10_000_000_000,
    online_cpus: 4,
  },
  memory_stats: { usage: 50_000_000, limit: 1_000_000_000, stats: { inactive_file: 10_000_000 } },
  networks: {
    eth0: { rx_bytes: 1_500, tx_bytes: 2_500_000 },
    eth1: { rx_bytes: 500, tx_bytes: 0 },
  },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: 'Read', value: 4_096 },
      { op: 'Write', value: 8_192 },
    ],
  },
}

const CHANGES = [
  { Path: '/etc', Kind: 0 },
  { Path: '/etc/new', Kind: 1 },
  { Path: '/etc/old', Kind: 2 },
]

const PROCESSES = {
  Titles: ['PID', 'USER', 'CMD'],
  Processes: [
    ['1', 'root', 'sh -c true'],
    ['12345', 'a-user-with-a-long-name', 'x'],
  ],
}

/** Answers by method and path; the first that fits counts. */
const ANSWERS: readonly (readonly [RegExp, Canned])[] = [
  [/^POST \/containers\/create$/, { status: 201, body: { Id: ID, Warnings: [] } }],
  [/^POST \/containers\/prune$/, { body: { ContainersDeleted: [ID], SpaceReclaimed: 1_234 } }],
  [
    /^POST \/images\/prune$/,
    {
      body: {
        ImagesDeleted: [{ Untagged: 'a:b' }, { Deleted: IMAGE_ID }],
        SpaceReclaimed: 5_678_901,
      },
    },
  ],
  [/^POST \/volumes\/prune$/, { body: { VolumesDeleted: ['data'], SpaceReclaimed: 0 } }],
  [/^POST \/networks\/prune$/, { body: { NetworksDeleted: ['net'] } }],
  [/^POST \/build\/prune$/, { body: { CachesDeleted: ['x'], SpaceReclaimed: 0 } }],
  [/^POST \/containers\/[^/]+\/wait$/, { body: { StatusCode: 0 } }],
  [/^POST \/containers\/[^/]+\/update$/, { body: { Warnings: [] } }],
  [/^POST \/containers\/[^/]+\/exec$/, { status: 201, body: { Id: ID } }],
  [/^GET \/exec\/[^/]+\/json$/, { body: { ID, Running: false, ExitCode: 0, Pid: 1 } }],
  [/^GET \/containers\/json$/, { body: CONTAINERS }],
  [/^GET \/containers\/[^/]+\/json$/, { body: CONTAINER }],
  [/^GET \/containers\/[^/]+\/top$/, { body: PROCESSES }],
  [/^GET \/containers\/[^/]+\/changes$/, { body: CHANGES }],
  [/^GET \/containers\/[^/]+\/stats$/, { body: STATS }],
  [/^POST \/commit$/, { status: 201, body: { Id: `sha256:${ID}` } }],
  [/^POST \/volumes\/create$/, { status: 201, body: VOLUMES[0] }],
  [/^GET \/volumes$/, { body: { Volumes: VOLUMES, Warnings: [] } }],
  [/^GET \/volumes\/[^/]+$/, { body: VOLUMES[0] }],
  [/^POST \/networks\/create$/, { status: 201, body: { Id: ID, Warning: '' } }],
  [/^GET \/networks$/, { body: NETWORKS }],
  [/^GET \/networks\/[^/]+$/, { body: NETWORKS[0] }],
  [/^GET \/system\/df$/, { body: USAGE }],
  [/^GET \/info$/, { body: { ID: 'x', OSType: 'linux', ServerVersion: '1', Driver: 'overlay2' } }],
  [/^DELETE /, { status: 204 }],
  [/^POST /, { status: 204 }],
  [/^GET /, { body: {} }],
]

/** The answer to a request. */
export function answerTo({
  method,
  path,
}: {
  readonly method: string
  readonly path: string
}): Canned {
  return ANSWERS.find(([pattern]) => pattern.test(`${method} ${path}`))?.[1] ?? { status: 404 }
}
