import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  type Registry,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import {
  filesOf,
  reassembled,
  sha256,
  type TableEntry,
  tableOf,
} from '../../support/raw-tar/chunked-blob.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, tsbuild } from '../support/tsbuild.ts'

interface Layer {
  readonly mediaType: string
  readonly digest: string
  readonly annotations?: Readonly<Record<string, string>>
}

interface Manifest {
  readonly config: Layer
  readonly layers: readonly Layer[]
}

const CHUNKED = 'compression=zstd:chunked'
const CHECKSUM = 'io.github.containers.zstd-chunked.manifest-checksum'
/** More than one frame, and more than what is packed only once a push needs it. */
const LARGE = randomBytes(2_500_000).toString('hex')

describe('layers as zstd:chunked', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let registry: Registry
  before(async () => {
    directory = temporaryDirectory('chunked')
    registry = await startBusyboxRegistry()
    const files = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`files/f${index}`, `file ${index}\n`]),
    )
    writeContext(directory.file('context'), {
      Dockerfile: `FROM ${registry.host}/busybox\nCOPY files /files\nRUN echo done > /done\n`,
      ...files,
      'files/large': LARGE,
    })
    await push('one')
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = (store = 'store') => ({ root: directory.file(store) })
  const image = (name: string): string =>
    `${registry.host}/${name}${name.includes(':') ? '' : ':1'}`
  const push = (name: string, flags: readonly string[] = [], store = 'store') => {
    const output = ['-t', image(name), '-o', `type=registry,${CHUNKED}`]
    return mustBuild(['-q', ...output, ...flags, directory.file('context')], start(store))
  }

  async function raw(name: string): Promise<string> {
    const words = ['--insecure-policy', 'inspect', '--raw', '--tls-verify=false']
    return (await run('skopeo', [...words, `docker://${image(name)}`])).stdout
  }

  async function blob(name: string, { digest }: Layer): Promise<Buffer> {
    const answer = await fetch(`http://${registry.host}/v2/${name}/blobs/${digest}`)
    assert.equal(answer.status, 200)
    return Buffer.from(await answer.arrayBuffer())
  }

  const manifestOf = async (name: string): Promise<Manifest> => JSON.parse(await raw(name))

  it('have all files where their annotations say, and the diffIDs of the image', async () => {
    const { config, layers } = await manifestOf('one')
    const { rootfs } = JSON.parse((await blob('one', config)).toString())
    const isChunked = layers.map(({ annotations = {} }) => CHECKSUM in annotations)
    assert.deepEqual(isChunked, [false, true, true])
    const found: TableEntry[] = []
    for (const [index, layer] of layers.entries()) {
      if (layer.annotations === undefined) continue
      assert.equal(layer.mediaType, 'application/vnd.oci.image.layer.v1.tar+zstd')
      const bytes = await blob('one', layer)
      const { entries, tarSplit } = tableOf(bytes, layer.annotations)
      const tar = reassembled(tarSplit, filesOf(bytes, entries))
      assert.equal(sha256(tar), rootfs.diff_ids[index])
      writeFileSync(directory.file('blob.zst'), bytes)
      await run('zstd', ['-t', '-q', directory.file('blob.zst')])
      await run('zstd', ['-d', '-q', '-f', directory.file('blob.zst')])
      assert.equal(sha256(readFileSync(directory.file('blob'))), rootfs.diff_ids[index])
      found.push(...entries)
    }
    const contents = found.filter(({ digest }) => digest !== undefined)
    assert.equal(contents.length, 52)
    assert.equal(
      found.find(({ name }) => name.endsWith('files/large'))?.digest,
      sha256(Buffer.from(LARGE)),
    )
    assert(found.some(({ type }) => type === 'chunk'))
  })

  it('are described again when nothing is packed, and in archives', async () => {
    const first = await raw('one')
    await push('two')
    assert.equal(await raw('two'), first)
    const layout = directory.file('layout')
    const output = ['-o', `type=oci,tar=false,dest=${layout},${CHUNKED}`]
    await mustBuild(['-q', ...output, directory.file('context')], start())
    const { manifests } = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8'))
    const path = `${layout}/blobs/${manifests[0].digest.replace(':', '/')}`
    assert.equal(readFileSync(path, 'utf8'), first)
  })

  it('are the same from another store, and by way of a cache', async () => {
    const first = await raw('one')
    const cache = directory.file('cache')
    await push('three', ['--cache-to', `type=local,dest=${cache},mode=max,${CHUNKED}`], 'second')
    await push('four', ['--cache-from', `type=local,src=${cache}`], 'third')
    const layersOf = (text: string) => (JSON.parse(text) as Manifest).layers.slice(0, 2)
    assert.deepEqual(layersOf(await raw('three')), layersOf(first))
    assert.deepEqual(
      (await manifestOf('four')).layers,
      (JSON.parse(await raw('three')) as Manifest).layers,
    )
  })

  it('stay described in an image that is built on them', async () => {
    const context = writeContext(directory.file('above'), {
      Dockerfile: `FROM ${image('one')}\nCOPY note /\n`,
      note: 'above\n',
    })
    await mustBuild(['-q', '-t', image('above'), '-o', 'type=registry', context], start('fourth'))
    const [below, above] = [await manifestOf('one'), await manifestOf('above')]
    assert.deepEqual(above.layers.slice(0, 3), below.layers)
    assert.match(above.layers[3]?.mediaType ?? '', /gzip$/)
  })

  /** The environment of a podman with a storage of its own. */
  function podmanWith(driver: 'vfs' | 'overlay'): { env: Record<string, string> } {
    const storage = directory.file(`${driver}.conf`)
    const [graph, state] = [directory.file(`${driver}-graph`), directory.file(`${driver}-run`)]
    const options = '{enable_partial_images = "true", use_hard_links = "false", ostree_repos = ""}'
    writeFileSync(
      storage,
      `[storage]\ndriver = "${driver}"\ngraphroot = "${graph}"\nrunroot = "${state}"
[storage.options]\npull_options = ${options}\n`,
    )
    return { env: { CONTAINERS_STORAGE_CONF: storage, HOME: directory.path } }
  }

  /** @returns what podman says of it */
  async function pullsAll(name: string, podman: ReturnType<typeof podmanWith>): Promise<string> {
    writeFileSync(directory.file('policy'), '{"default":[{"type":"insecureAcceptAnything"}]}')
    const flags = ['--signature-policy', directory.file('policy'), '--tls-verify=false']
    const words = ['--log-level=debug', 'pull', ...flags, image(name)]
    const { stderr } = await run('podman', words, podman)
    const mounted = (await run('podman', ['image', 'mount', image(name)], podman)).stdout.trim()
    assert.equal(readFileSync(`${mounted}/files/large`, 'utf8'), LARGE)
    assert.equal(readFileSync(`${mounted}/files/f49`, 'utf8'), 'file 49\n')
    await run('podman', ['image', 'umount', image(name)], podman)
    return stderr
  }

  it('are layers as any other for a podman that does not know them', async () => {
    await pullsAll('one', podmanWith('vfs'))
  })

  it('are pulled in parts by podman, which before 4.4 had another name for their annotations', async function () {
    const podman = podmanWith('overlay')
    const hasOverlay = await run('podman', ['info'], podman).then(
      () => true,
      () => false,
    )
    if (!hasOverlay) this.skip()
    const body = (await raw('one')).replaceAll('io.github.containers.', 'io.containers.')
    const names = [...(await raw('one')).matchAll(/io\.github\.containers/g)]
    assert.equal(names.length, 6)
    const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
    const url = `http://${registry.host}/v2/one/manifests/old`
    assert.equal((await fetch(url, { method: 'PUT', headers, body })).status, 201)
    const log = await pullsAll('one:old', podman)
    assert.equal([...log.matchAll(/Retrieved partial blob/g)].length, 2)
  })

  it("do not go with docker's media types", async () => {
    const output = `type=registry,oci-mediatypes=false,${CHUNKED}`
    const words = ['build', '-q', '-t', image('no'), '-o', output, directory.file('context')]
    const { status, stderr } = await tsbuild(words, start())
    assert.notEqual(status, 0)
    assert.match(stderr, /oci-mediatypes=false/)
  })
})
