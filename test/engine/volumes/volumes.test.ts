import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { parseFilters } from '#engine/model'
import type { VolumeRecord } from '#engine/volumes'
import { type Dockerd, startDockerd } from '../../support/peers/index.ts'
import { memoryDocuments } from '../support/memory-documents.ts'
import { askDocker } from './support/docker-socket.ts'
import { recordOf, VolumeLab } from './support/volume-lab.ts'

const RANDOM = /^[0-9a-f]{64}$/
const FILTERS = ['dangling', 'driver', 'label', 'name', 'label!']

describe('volumes', () => {
  let lab: VolumeLab
  beforeEach(() => {
    lab = new VolumeLab()
  })
  afterEach(() => lab[Symbol.asyncDispose]())
  const listed = (filters: Record<string, readonly string[]>): readonly string[] =>
    lab.volumes.list(parseFilters(JSON.stringify(filters), FILTERS)).map(({ id }) => id)

  describe('beside dockerd', () => {
    let dockerd: Dockerd
    before(async () => {
      dockerd = await startDockerd()
    })
    after(() => dockerd[Symbol.asyncDispose]())

    it('are made, shown, refused and found in the same way', async () => {
      const requests = [
        { Name: 'v1', Labels: { a: 'b' } },
        { Name: 'v1', Labels: { a: 'c' }, DriverOpts: { type: 'tmpfs', device: 'tmpfs' } },
        { Name: 'a' },
        { Name: 'a!b' },
        { Name: '-ab' },
        { Name: 'v2', DriverOpts: { foo: 'x' } },
        { Name: 'v2', DriverOpts: { o: 'bind' } },
        { Name: 'v2', DriverOpts: { device: '/x' } },
        { Name: 'v3', DriverOpts: { type: 'none', o: 'bind', device: '/nonexistent' } },
        { Name: 'v4', DriverOpts: { type: 'tmpfs', o: 'size=1m,uid=5', device: 'tmpfs' } },
        { Name: 'v5', DriverOpts: { size: '1m' } },
        { Name: 'other.one-x_2', Labels: {} },
      ]
      for (const request of requests) {
        const post = ['POST', '/volumes/create'] as const
        const { status, body } = await askDocker(dockerd.socket, post, request)
        const theirs = status === 201 ? shown(body) : body?.message
        assert.deepEqual(created(request), theirs, JSON.stringify(request))
      }
      const filters = [
        ...[{ name: ['v'] }, { name: ['^v'] }, { name: ['v[14]'] }, { name: ['v1', 'o'] }],
        ...[{ label: ['a=b'] }, { label: ['a'] }, { driver: ['local'] }, { driver: ['loc'] }],
        ...[{ dangling: ['true'] }, { dangling: ['0'] }, { name: ['v'], label: ['a'] }, {}],
      ]
      for (const one of filters) {
        const path = `/volumes?filters=${encodeURIComponent(JSON.stringify(one))}`
        const { body } = await askDocker(dockerd.socket, ['GET', path])
        const found = (body?.Volumes ?? []) as unknown as readonly { Name: string }[]
        assert.deepEqual(listed(one), found.map(({ Name }) => Name).sort(), JSON.stringify(one))
      }
      assert.deepEqual(listed({ name: ['v'] }), ['v1', 'v3', 'v4'])
      const missing = await askDocker(dockerd.socket, ['GET', '/volumes/nope'])
      assert.throws(() => lab.volumes.find('nope'), { message: missing.body?.message })
      await assert.rejects(lab.volumes.remove('nope', { force: false }), {
        code: 'NOT_FOUND',
        message: missing.body?.message,
      })
    })

    it('have folders that others may pass through, and files that they may see', async () => {
      await askDocker(dockerd.socket, ['POST', '/volumes/create'], { Name: 'folder' })
      const { body } = await askDocker(dockerd.socket, ['GET', '/volumes/folder'])
      lab.volumes.create({ name: 'folder' })
      const modes = (data: string): readonly string[] =>
        [data, `${data}/..`, `${data}/../..`].map((path) => {
          const { mode, uid, gid } = statSync(path)
          return `${mode.toString(8)} ${uid} ${gid}`
        })
      assert.deepEqual(modes(lab.volumes.folders.data('folder')), modes(`${body?.Mountpoint}`))
    })
  })

  function created(request: Record<string, unknown>): unknown {
    const { Name, Driver, Labels, DriverOpts } = request as {
      readonly Name: string
      readonly Driver?: string
      readonly Labels?: Record<string, string>
      readonly DriverOpts?: Record<string, string>
    }
    try {
      const record = lab.volumes.create({
        ...{ name: Name, driver: Driver, labels: Labels, options: DriverOpts },
      })
      return shown(lab.volumes.describe(record))
    } catch (cause) {
      return cause instanceof Error ? cause.message : ''
    }
  }

  function shown(document: { readonly [key: string]: unknown } = {}): unknown {
    const { Mountpoint, CreatedAt, ...rest } = document
    assert.match(`${CreatedAt}`, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.equal(`${Mountpoint}`.endsWith(`/volumes/${rest.Name}/_data`), true)
    return rest
  }

  it('without a name get a random one and a mark', () => {
    const { id, labels } = lab.volumes.create({ labels: { a: 'b' } })
    assert.match(id, RANDOM)
    assert.deepEqual(labels, { a: 'b', 'com.docker.volume.anonymous': '' })
    const [event] = lab.events
    assert.deepEqual(event, {
      ...{ Type: 'volume', Action: 'create', id, attributes: { driver: 'local' } },
    })
  })

  it('of other file systems are refused', () => {
    const options = { type: 'nfs', o: 'addr=127.0.0.1', device: ':/x' }
    assert.throws(() => lab.volumes.create({ name: 'nfs', options }), {
      code: 'UNSUPPORTED',
      message: 'create nfs: volumes of type "nfs" are not mounted',
    })
    // In dockerd's words, which it looks for a quarter of a minute.
    assert.throws(() => lab.volumes.create({ name: 'foreign', driver: 'foo' }), {
      code: 'NOT_FOUND',
      message: 'create foreign: error looking up volume plugin foo: plugin "foo" not found',
    })
    assert.deepEqual(lab.volumes.all(), [])
  })

  it('are not removed while a container has them, or is being made with them', async () => {
    const record = await lab.container(recordOf('one', { Binds: ['used:/a'] }))
    await assert.rejects(lab.volumes.remove('used', { force: true }), {
      code: 'CONFLICT',
      message: 'remove used: volume is in use - [one]',
    })
    lab.containers.delete(record.id)
    {
      using _ = lab.volumes.claim('used', 'two')
      await assert.rejects(lab.volumes.remove('used', { force: false }), { code: 'CONFLICT' })
    }
    writeFileSync(`${lab.volumes.folders.data('used')}/file`, 'x')
    await lab.volumes.remove('used', { force: false })
    assert.deepEqual(readdirSync(lab.volumes.folders.root), [])
    await lab.volumes.remove('used', { force: true })
    assert.equal(lab.events.at(-1)?.Action, 'destroy')
  })

  it('are pruned when no container has them, named ones only when it is said', async () => {
    const asked = { Binds: ['/kept', 'named:/b'], Mounts: [{ Type: 'volume', Target: '/c' }] }
    const { mounts } = await lab.container(recordOf('one', asked))
    const kept = mounts.map(({ Name }) => Name)
    const { id } = lab.volumes.create({})
    lab.volumes.create({ name: 'unused', labels: { a: 'b' } })
    const options = { type: 'tmpfs', device: 'tmpfs' }
    lab.volumes.create({ name: 'elsewhere', labels: { a: 'b' }, options })
    writeFileSync(`${lab.volumes.folders.data(id)}/file`, Buffer.alloc(5000))
    const first = await lab.volumes.prune(new Map(), { kinds: 'anonymous' })
    assert.deepEqual(first, { names: [id], reclaimed: 5000 })
    const none = await lab.volumes.prune(new Map([['label!', ['a=b']]]), { kinds: 'all' })
    assert.deepEqual(none.names, [])
    const second = await lab.volumes.prune(new Map([['label', ['a']]]), { kinds: 'all' })
    assert.deepEqual(second.names, ['unused'])
    assert.deepEqual(
      lab.volumes.all().map((one) => one.id),
      [...kept, 'elsewhere'].toSorted(),
    )
  })

  it('without names go with their container, unless another one has them', async () => {
    const one = await lab.container(recordOf('one', { Binds: ['/x', '/y', 'named:/z'] }))
    await lab.container(recordOf('two', { VolumesFrom: ['one:ro'] }))
    lab.containers.delete('one')
    await lab.mounts.removeAnonymous(one)
    assert.equal(lab.volumes.all().length, 3)
    const two = lab.containers.get('two')
    lab.containers.delete('two')
    await lab.mounts.removeAnonymous(two ?? one)
    assert.deepEqual(
      lab.volumes.all().map(({ id }) => id),
      ['named'],
    )
  })

  it('say what they take', async () => {
    const record = lab.volumes.create({ name: 'big' })
    const data = lab.volumes.folders.data('big')
    mkdirSync(`${data}/a/b`, { recursive: true })
    writeFileSync(`${data}/a/b/c`, Buffer.alloc(1000))
    writeFileSync(`${data}/d`, Buffer.alloc(234))
    const [usage] = await lab.volumes.describeUsage([record])
    assert.deepEqual((usage as { readonly UsageData: unknown }).UsageData, {
      RefCount: 0,
      Size: 1234,
    })
  })

  it('are what is on the disk after a crash', async () => {
    const documents = memoryDocuments<VolumeRecord>()
    await using killed = new VolumeLab({ documents })
    const { folders } = killed.volumes
    for (const name of ['kept', 'found', 'half', 'gone']) killed.volumes.create({ name })
    writeFileSync(`${folders.data('found')}/file`, '')
    mkdirSync(`${folders.root}/.removed-x/_data/a`, { recursive: true })
    // Made without a record, removed without its folder, and a record whose folder is lost.
    for (const name of ['half', 'found']) documents.delete(name)
    const { rmSync } = process.getBuiltinModule('node:fs')
    rmSync(`${folders.root}/gone`, { recursive: true })
    await killed.volumes.restore()
    const names = killed.volumes.all().map(({ id }) => id)
    assert.deepEqual(names, ['found', 'gone', 'kept'])
    assert.deepEqual(readdirSync(folders.root).sort(), names)
    assert.ok(lstatSync(`${folders.data('found')}/file`).isFile())
    assert.ok(lstatSync(folders.data('gone')).isDirectory())
  })
})
