import type { Config, HostConfig } from '#engine/model'

/** What a container may ask for. `HOST` stands for a folder that there is. */
export interface Request extends Pick<Config, 'Volumes'> {
  readonly HostConfig: HostConfig
}

const binds = (...Binds: readonly string[]): Request => ({ HostConfig: { Binds } })
const mounts = (...Mounts: NonNullable<HostConfig['Mounts']>): Request => ({
  HostConfig: { Mounts },
})
const HOST = { Type: 'bind', Source: 'HOST', Target: '/a' }
const VOLUME = { Type: 'volume', Source: 'nv', Target: '/a' }
const MEMORY = { Type: 'tmpfs', Target: '/a' }

/** What dockerds of 2020 and today answer in the same way. */
export const REQUESTS: readonly Request[] = [
  binds('HOST:/a'),
  binds('HOST:/a:ro,z,rshared'),
  binds('nv:/a'),
  binds('nv:/a:ro,nocopy'),
  binds('/a'),
  binds('/a:rw'),
  binds('nv:/a:foo'),
  binds('nv:/a:ro,rw'),
  binds('a:b:c:d'),
  binds(':/a'),
  binds('nv:a'),
  binds('nv:/'),
  binds('/x:/'),
  binds('a!b:/x'),
  binds('b:/x'),
  binds('nv:/a', 'nv2:/a/'),
  binds('/nonexistent/x:/a'),
  binds('nv:/a:nocopy,nocopy'),
  binds('nv:/a:rprivate'),
  binds('HOST:/a:nocopy'),
  binds('HOST:/a:delegated,ro'),
  binds('HOST/../HOSTNAME/:/a/../b/'),
  binds('nv:/a:volume-nocopy'),
  binds('HOST:/a:rbind'),
  { HostConfig: { Binds: ['nv:/a'], Tmpfs: { '/a': '' } } },
  { HostConfig: { Binds: ['nv:/a'], Mounts: [MEMORY] } },
  { HostConfig: { Tmpfs: { '/a': '' }, Mounts: [MEMORY] } },
  { HostConfig: { Tmpfs: { '/a': 'size=1m' } } },
  { HostConfig: { Tmpfs: { a: '' } } },
  { HostConfig: { Tmpfs: { '/': '' } } },
  mounts(HOST),
  mounts({ ...HOST, Source: '/nonexistent/x' }),
  mounts({ ...HOST, Source: 'rel' }),
  mounts({ Type: 'bind', Target: '/a' }),
  mounts({ ...HOST, Target: '' }),
  mounts({ ...HOST, Target: '/' }),
  mounts({ ...HOST, Target: 'x' }),
  mounts({ ...HOST, BindOptions: { Propagation: 'foo' } }),
  mounts({ ...HOST, BindOptions: { Propagation: 'rslave' }, ReadOnly: true }),
  mounts({ ...HOST, VolumeOptions: { NoCopy: true } }),
  mounts(VOLUME),
  mounts({ ...VOLUME, ReadOnly: true, VolumeOptions: { NoCopy: true, Labels: { a: 'b' } } }),
  mounts({ Type: 'volume', Target: '/a' }),
  mounts({ Type: 'volume', Target: '/a', BindOptions: { Propagation: 'shared' } }),
  mounts({ ...VOLUME, Source: '/abs' }),
  mounts({ ...VOLUME, VolumeOptions: { DriverConfig: { Name: 'local', Options: { x: 'y' } } } }),
  mounts(MEMORY),
  mounts({ ...MEMORY, ReadOnly: true, TmpfsOptions: { SizeBytes: 65_536, Mode: 0o700 } }),
  mounts({ ...MEMORY, Source: 'x' }),
  mounts({ ...MEMORY, BindOptions: { Propagation: 'shared' } }),
  mounts({ Type: 'foo', Target: '/a' }),
  mounts({ Target: '/a' }),
  mounts(VOLUME, { ...HOST, Target: '/a/' }),
  { HostConfig: { VolumesFrom: ['src'] } },
  { HostConfig: { VolumesFrom: ['src:ro'] } },
  { HostConfig: { VolumesFrom: ['src:foo'] } },
  { HostConfig: { VolumesFrom: ['nope'] } },
  { HostConfig: { VolumesFrom: [''] } },
  { HostConfig: { VolumesFrom: ['src'], Binds: ['nv:/s'] } },
  { Volumes: { '/x': {} }, HostConfig: {} },
  { Volumes: { '/x/': {}, '/y/../z': {} }, HostConfig: { Binds: ['nv:/x'] } },
  { Volumes: { '/vol': {} }, HostConfig: { Tmpfs: { '/vol': '' } } },
  { Volumes: { '/vol': {} }, HostConfig: { Mounts: [{ ...MEMORY, Target: '/vol' }] } },
  { Volumes: { '/bin/sh': {} }, HostConfig: {} },
]

/** What the dockerd of 2020 does not know: what today's says of it. */
export const LATER: readonly (readonly [request: Request, answer: string | readonly string[]])[] = [
  [
    mounts({ ...HOST, TmpfsOptions: { SizeBytes: 1 } }),
    'invalid mount config for type "bind": field TmpfsOptions must not be specified',
  ],
  [
    mounts({ ...VOLUME, VolumeOptions: { Subpath: '../x' } }),
    'invalid mount config for type "volume": subpath must be a relative path within the volume',
  ],
  [
    mounts({ ...VOLUME, VolumeOptions: { Subpath: '/x' } }),
    'invalid mount config for type "volume": subpath must be a relative path within the volume',
  ],
  [
    mounts({ Type: 'volume', Target: '/a', VolumeOptions: { Subpath: 'x/y' } }),
    'invalid mount config for type "volume": must not set Subpath when using anonymous volumes',
  ],
  [mounts({ ...VOLUME, VolumeOptions: { Subpath: 'x/y' } }), ['volume nv /a local z true ']],
  [mounts({ Type: 'volume', Target: '/a', ReadOnly: true }), ['volume RANDOM /a local z false ']],
  [
    mounts({ ...MEMORY, TmpfsOptions: { Options: [['uid', '5']] } }),
    'invalid mount config for type "tmpfs": invalid option: uid',
  ],
  [
    mounts({ ...MEMORY, TmpfsOptions: { Options: [[]] } }),
    'invalid mount config for type "tmpfs": invalid option array length',
  ],
  [mounts({ ...MEMORY, TmpfsOptions: { Options: [['noexec'], ['exec']] } }), ['tmpfs  /a   true ']],
  [
    mounts({ Type: 'image', Target: '/a' }),
    'invalid mount config for type "image": field Source must not be empty',
  ],
  [
    mounts({ Type: 'image', Source: 'busybox', Target: '/a', ImageOptions: { Subpath: '../x' } }),
    'invalid mount config for type "image": subpath must be a relative path within the volume',
  ],
  [
    mounts({ Type: 'image', Source: 'busybox', Target: '/a' }),
    ['image busybox /a   false rprivate'],
  ],
  [
    mounts({ ...HOST, Source: '/nonexistent/x', BindOptions: { CreateMountpoint: true } }),
    ['bind  /a   true rprivate'],
  ],
]
