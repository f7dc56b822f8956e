import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import type { Mount } from '#core'
import type { OpenedMounts, ShowImage } from '#engine/volumes'
import { recordOf, VolumeLab } from './support/volume-lab.ts'

const TMPFS_MAGIC = 0x01021994

describe('mounts of a container that is started', () => {
  let lab: VolumeLab
  beforeEach(() => {
    lab = new VolumeLab()
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  it('are what its request and its volumes say, parents first', async () => {
    const host = lab.folder.file('host')
    mkdirSync(host)
    lab.volumes.create({
      ...{ name: 'elsewhere', options: { type: 'none', o: 'bind,ro', device: host } },
    })
    const bind = { Type: 'bind', Source: host, Target: '/h' }
    const record = await lab.container(
      recordOf(
        'one',
        {
          Binds: ['plain:/v/inner', `${host}:/h/b:ro,rslave`, 'elsewhere:/e'],
          Mounts: [
            { ...bind, BindOptions: { NonRecursive: true, ReadOnlyForceRecursive: true } },
            {
              ...{ Type: 'volume', Source: 'plain', Target: '/part', ReadOnly: true },
              VolumeOptions: { Subpath: 'a/b' },
            },
            { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 4096, Mode: 0o1700 } },
            { Type: 'image', Source: 'tools', Target: '/i', ImageOptions: { Subpath: 'bin' } },
          ],
          Tmpfs: { '/m': 'size=1m,exec,ro,uid=5' },
        },
        { Volumes: { '/v': {} } },
      ),
    )
    mkdirSync(`${lab.volumes.folders.data('plain')}/a/b`, { recursive: true })
    const anonymous = record.mounts.find(({ Destination }) => Destination === '/v')?.Source ?? ''
    const plain = lab.volumes.folders.data('plain')
    const shown: unknown[] = []
    using opened = await lab.mounts.open(record, async (image) => {
      shown.push(image)
      return await Promise.resolve<Mount>({ type: 'overlay', target: image.destination, lower: [] })
    })
    const memory = { type: 'tmpfs', options: ['size=4096'], forbids: ['exec', 'suid', 'dev'] }
    assert.deepEqual(opened.mounts, [
      { type: 'bind', target: '/e', readonly: true, source: host, recursive: false },
      {
        ...{ type: 'bind', target: '/h', source: host, readonly: false, propagation: 'rprivate' },
        ...{ recursive: false, writableBelow: 'never' },
      },
      {
        ...{ type: 'bind', target: '/h/b', source: host, readonly: true, propagation: 'rslave' },
        recursive: true,
      },
      { type: 'overlay', target: '/i', lower: [] },
      {
        ...{ type: 'tmpfs', target: '/m', readonly: true, forbids: ['suid', 'dev'], uid: 5 },
        options: ['size=1m'],
      },
      {
        type: 'bind',
        target: '/part',
        readonly: true,
        path: '/a/b',
        source: plain,
        labelled: true,
      },
      { ...memory, target: '/t', mode: 0o1700, readonly: false },
      { type: 'bind', target: '/v', readonly: false, source: anonymous, labelled: true },
      { type: 'bind', target: '/v/inner', readonly: false, source: plain, labelled: true },
    ])
    assert.deepEqual(shown, [{ image: 'tools', destination: '/i', subpath: 'bin' }])
    const events = lab.events.filter(({ Action }) => Action === 'mount')
    assert.deepEqual(
      events.map(({ id }) => id).sort(),
      [anonymous.split('/').at(-2), 'elsewhere', 'plain', 'plain'].sort(),
    )
    assert.deepEqual(events.find(({ id }) => id === 'elsewhere')?.attributes, {
      ...{ driver: 'local', container: 'one', destination: '/e', propagation: '' },
      'read/write': 'true',
    })
  })

  it('are those of another container as it has them, all but what may be written', async () => {
    const host = lab.folder.file('host')
    mkdirSync(host)
    const asked = await lab.container(
      recordOf('asked', {
        Binds: [`${lab.folder.file('later')}:/l`],
        Mounts: [
          { Type: 'bind', Source: host, Target: '/h', BindOptions: { NonRecursive: true } },
          {
            ...{ Type: 'volume', Source: 'plain', Target: '/part' },
            VolumeOptions: { Subpath: 'a' },
          },
          { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 4096 } },
          { Type: 'image', Source: 'tools', Target: '/i', ImageOptions: { Subpath: 'bin' } },
        ],
      }),
    )
    mkdirSync(`${lab.volumes.folders.data('plain')}/a`)
    const same = await lab.container(recordOf('same', { VolumesFrom: ['asked'] }))
    const reader = await lab.container(recordOf('reader', { VolumesFrom: ['asked:ro'] }))
    const show = ({ image, destination: target, subpath: path = '' }: Parameters<ShowImage>[0]) =>
      Promise.resolve<Mount>({ type: 'overlay', target, lower: [image], path })
    using first = await lab.mounts.open(asked, show)
    using second = await lab.mounts.open(same, show)
    using third = await lab.mounts.open(reader, show)
    assert.deepEqual(second.mounts, first.mounts)
    const written = first.mounts.map((mount) =>
      'lower' in mount ? mount : { ...mount, readonly: true },
    )
    assert.deepEqual(third.mounts, written)
  })

  it('make folders of the host where their request lets them', async () => {
    const missing = lab.folder.file('a/b')
    const record = await lab.container(recordOf('one', { Binds: [`${missing}:/a`] }))
    assert.equal(existsSync(missing), false)
    using _ = await open(record)
    assert.equal(statSync(missing).mode & 0o7777, 0o755)
  })

  it('share what volumes in memory have, until no container sees them', async () => {
    const options = { type: 'tmpfs', device: 'tmpfs', o: 'size=64k,mode=1750,uid=7,gid=8' }
    const { id } = lab.volumes.create({ name: 'memory', options })
    const folder = lab.volumes.folders.data(id)
    const one = await lab.container(recordOf('one', { Binds: ['memory:/a'] }))
    const two = await lab.container(recordOf('two', { Binds: ['memory:/b:ro'] }))
    {
      using first = await open(one)
      assert.deepEqual(first.mounts, [
        { type: 'bind', target: '/a', readonly: false, source: folder },
      ])
      assert.equal(statfsSync(folder).type, TMPFS_MAGIC)
      const { mode, uid, gid } = statSync(folder)
      assert.deepEqual([mode & 0o7777, uid, gid], [0o1750, 7, 8])
      writeFileSync(`${folder}/file`, 'x')
      using _ = await open(two)
    }
    assert.deepEqual(readdirSync(folder), [])
    const unmounts = lab.events.filter(({ Action }) => Action === 'unmount')
    assert.equal(unmounts.length, 2)
  })

  it('leave nothing mounted after a crash', async () => {
    const options = { type: 'tmpfs', device: 'tmpfs' }
    lab.volumes.create({ name: 'memory', options })
    const folder = lab.volumes.folders.data('memory')
    const record = await lab.container(recordOf('one', { Binds: ['memory:/a'] }))
    await open(record)
    writeFileSync(`${folder}/file`, 'x')
    await lab.volumes.restore()
    assert.deepEqual(readdirSync(folder), [])
  })

  it('fail where a device is missing, and hold nothing then', async () => {
    const options = { type: 'none', o: 'bind', device: lab.folder.file('absent') }
    lab.volumes.create({ name: 'missing', options })
    lab.volumes.create({ name: 'memory', options: { type: 'tmpfs', device: 'tmpfs' } })
    const binds = { Binds: ['memory:/a', 'missing:/b'] }
    const record = await lab.container(recordOf('one', binds))
    await assert.rejects(open(record), /failed to mount local volume.*no such file or directory/)
    const folder = lab.volumes.folders.data('memory')
    writeFileSync(`${folder}/file`, 'x')
    assert.deepEqual(readdirSync(folder), ['file'])
    const part = { Type: 'volume', Source: 'plain', Target: '/p', VolumeOptions: { Subpath: 'no' } }
    const three = await lab.container(recordOf('three', { Mounts: [part] }))
    await assert.rejects(open(three), /^TsbuildError: cannot access path .*_data\/no: lstat/)
    await assert.rejects(
      lab.mounts.open(recordOf('two', { Tmpfs: { '/t': 'size=1m,foo' } }), noImage),
      { code: 'USAGE', message: 'invalid tmpfs option "foo"' },
    )
  })

  function open(record: Parameters<VolumeLab['mounts']['open']>[0]): Promise<OpenedMounts> {
    return lab.mounts.open(record, noImage)
  }
})

async function noImage(): Promise<Mount> {
  return await Promise.reject(new Error('there is no image'))
}
