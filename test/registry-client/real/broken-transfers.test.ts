import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { MEDIA_TYPES, serializeManifest } from '#core'
import {
  type PushedImage,
  parseRegistryMirror,
  pushImage,
  type RegistryClient,
  type Repository,
} from '#registry-client'
import { type Registry, startRegistry } from '../../support/peers/index.ts'
import { blobOf, clientFor, pieces, readAll, someBytes } from '../support.ts'
import { CuttingProxy } from './cutting-proxy.ts'
import { startLimitingFront } from './limiting-front.ts'

const MIB = 1024 * 1024
const BYTES = someBytes(12 * MIB)
const BLOB = blobOf(BYTES)

describe('broken transfers with docker-registry', function () {
  this.timeout(60_000)
  const owned = new AsyncDisposableStack()
  let registry: Registry
  let proxy: CuttingProxy
  let client: RegistryClient

  before(async function () {
    if (!existsSync('/usr/bin/docker-registry')) return this.skip()
    registry = owned.use(await startRegistry())
  })
  after(() => owned.disposeAsync())
  beforeEach(async () => {
    proxy = await CuttingProxy.start(registry.host)
    client = clientFor()
  })
  afterEach(async () => {
    await client.close()
    await proxy[Symbol.asyncDispose]()
  })

  const repository = (name: string): Repository =>
    client.repository({ registry: proxy.host, repository: name })
  const received = (): number => proxy.passed.reduce((all, { down }) => all + down, 0)
  const log = (name: string): readonly string[] =>
    readFileSync(registry.log, 'utf8')
      .split('\n')
      .filter(
        (line) => line.includes(`/v2/${name}/`) && / "(?:GET|PUT|POST|PATCH|HEAD) /.test(line),
      )
  const check = async (name: string): Promise<void> => {
    assert.deepEqual(await readAll(await repository(name).open(BLOB)), BYTES)
  }

  // docker-registry 2.8 ends a session that is asked how far it came; later ones say it.
  it('a blob that is put starts anew where the registry gives up a session', async () => {
    proxy.cuts = [{ up: 5 * MIB }, { up: 4 * MIB }]
    await repository('team/put').put(BLOB, () => pieces(BYTES, 65_536))
    assert.equal(log('team/put').filter((line) => line.includes('"POST ')).length, 3)
    await check('team/put')
  })

  it('a streamed layer starts anew there, too', async () => {
    proxy.cuts = [{ up: 5 * MIB }]
    const open = () => pieces(BYTES, 65_536)
    const { digest } = await repository('team/stream').upload(MEDIA_TYPES.ociLayer, open)
    assert.equal(digest, BLOB.digest)
    assert.equal(log('team/stream').filter((line) => line.includes('"POST ')).length, 2)
    await check('team/stream')
  })

  it('a download goes on where it broke', async () => {
    await client
      .repository({ registry: registry.host, repository: 'team/get' })
      .put(BLOB, () => pieces(BYTES, 65_536))
    proxy.cuts = [{ down: 5 * MIB }, { down: 3 * MIB }]
    await check('team/get')
    assert.ok(received() < 14 * MIB, `${received()} bytes came`)
  })

  it('a proxy that limits the size of bodies gets parts', async () => {
    await using front = await startLimitingFront(registry.host, 5 * MIB)
    const parts = client.repository({ registry: front.host, repository: 'team/parts' })
    await parts.put(BLOB, () => pieces(BYTES, 65_536))
    await check('team/parts')
    assert.equal(log('team/parts').filter((line) => line.includes('"PATCH ')).length, 3)
    const other = someBytes(6 * MIB, 3)
    const { digest } = await parts.upload(MEDIA_TYPES.ociLayer, () => pieces(other, 65_536))
    assert.deepEqual(await readAll(await parts.open(blobOf(other))), other)
    assert.equal(digest, blobOf(other).digest)
  })

  it('a mirror that fetches what it is asked for is pulled through', async () => {
    const name = 'team/mirrored'
    const { manifest } = await pushArtifact(
      client.repository({ registry: registry.host, repository: name }),
    )
    const proxied = { proxy: { remoteurl: `http://${registry.host}` } }
    await using through = await startRegistry(proxied)
    const mirrors = [parseRegistryMirror(`${registry.host}=${through.host}`)]
    await using mirrored = clientFor({ mirrors })
    const asked = log(name).length
    const from = mirrored.repository({ registry: registry.host, repository: name })
    const { descriptor } = await from.fetchManifest('1')
    assert.equal(descriptor.digest, manifest.digest)
    assert.deepEqual(await readAll(await from.open(SMALL)), SMALL_BYTES)
    assert.match(readFileSync(through.log, 'utf8'), /GET [/]v2[/]team[/]mirrored[/]manifests[/]1/)
    assert.ok(log(name).length > asked, 'the mirror had to ask')
  })
})

const SMALL_BYTES = someBytes(5000, 4)
const SMALL = blobOf(SMALL_BYTES)

function pushArtifact(repository: Repository): Promise<PushedImage> {
  const mediaType = MEDIA_TYPES.ociManifest
  return pushImage(repository, {
    layers: [{ kind: 'blob', id: 'layer', descriptor: SMALL, open: () => pieces(SMALL_BYTES) }],
    config: { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') },
    assemble: (config, layers) => ({
      mediaType,
      bytes: serializeManifest({ mediaType, config, layers }),
    }),
    tags: ['1'],
  })
}
