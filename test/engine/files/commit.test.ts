import assert from 'node:assert/strict'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStore, type Store } from '#cache'
import { type Descriptor, type Digest, hostPlatform, type Manifest } from '#core'
import { type CommitRequest, ContainerFiles, commitContainer } from '#engine/files'
import {
  busyboxBase,
  compareTrees,
  readTree,
  run,
  temporaryDirectory,
} from '../../support/peers/index.ts'

/** What a container changes; at the end its files as it sees them are copied to `seen`. */
const SCRIPT = `
mkdir upper work merged seen
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
cd merged
echo new > etc/new; rm bin/ls; rm -r home; mkdir home; echo x > home/x; chmod 4755 bin/busybox; chown 7:8 etc/passwd
ln etc/new etc/hard; mkfifo tmp/fifo; mkdir -m 2771 var/set; ln -s /etc/new var/link; touch etc/group
cp -a . ../seen
`

describe('a container that becomes an image', () => {
  const folder = temporaryDirectory('commit')
  const files = new ContainerFiles()
  let store: Store
  let image: Digest
  let lower: string

  before(async () => {
    store = openStore(folder.file('store'))
    const layout = await busyboxBase()
    const { digest, layers } = await putLayout(store, layout)
    image = digest
    lower = folder.file('lower')
    await run('mkdir', [lower])
    for (const layer of layers) {
      await run('tar', ['-xpf', blobOf(layout, layer.digest), '-C', lower])
    }
    await run('unshare', ['--mount', 'sh', '-ec', SCRIPT], { cwd: folder.path })
  })
  after(async () => {
    await files[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  const commit = (request: Partial<CommitRequest>) =>
    commitContainer(
      {
        ...{ image, platform: hostPlatform(), names: [], config: { Cmd: ['sh', '-c', 'x'] } },
        layers: { upper: folder.file('upper'), lower: [lower] },
        ...request,
      },
      { store, files },
    )

  it('shows what the container saw, as umoci unpacks it', async () => {
    const name = 'docker.io/library/made:1'
    const made = await commit({ names: [name] })
    const bundle = folder.file('bundle')
    // Names with a registry are no tags of a layout for umoci: another one of the same blobs has one.
    const copy = `oci:${folder.file('copy')}:made`
    await run('skopeo', ['--insecure-policy', 'copy', `oci:${store.root}:${name}`, copy])
    await run('umoci', ['unpack', '--image', `${folder.file('copy')}:made`, bundle])
    const [found, seen] = await Promise.all([
      readTree(join(bundle, 'rootfs')),
      readTree(folder.file('seen')),
    ])
    assert.ok(seen.has('/home/x') && !seen.has('/bin/ls'))
    assert.deepEqual(compareTrees(found, seen), [])
    const { stdout } = await run('skopeo', ['inspect', '--config', `oci:${store.root}:${name}`])
    assert.equal(JSON.parse(stdout).rootfs.diff_ids.length, 2)
    assert.match(made.id, /^sha256:/)
    assert.deepEqual(store.images.get(name)?.descriptor.digest, made.manifest.digest)
  })

  it('has the history and the config that docker gives it', async () => {
    const { id } = await commit({
      config: { Cmd: ['sh', '-c', 'a  b'], Env: ['A=b'], WorkingDir: '/tmp', Labels: { l: '1' } },
      changes: [
        ...['CMD ["x","y"]', 'ENV C=d E=$A', 'EXPOSE 80', 'LABEL m=n', 'USER u', 'VOLUME /v'],
        ...[
          'WORKDIR rel',
          'STOPSIGNAL 9',
          'ONBUILD RUN x',
          'ENTRYPOINT foo bar',
          'HEALTHCHECK CMD a',
        ],
      ],
      author: 'me',
      comment: 'hello',
    })
    const config = documentOf(store, id)
    // Of docker 29.8, for the same request.
    assert.deepEqual(config.config, {
      ...{ User: 'u', ExposedPorts: { '80/tcp': {} }, Env: ['A=b', 'C=d', 'E=b'] },
      ...{ Entrypoint: ['/bin/sh', '-c', 'foo bar'], Cmd: ['x', 'y'], Volumes: { '/v': {} } },
      ...{ WorkingDir: '/tmp/rel', Labels: { l: '1', m: 'n' }, StopSignal: '9' },
      ...{ Healthcheck: { Test: ['CMD-SHELL', 'a'] }, OnBuild: ['RUN x'] },
    })
    const { created, ...entry } = config.history.at(-1) ?? {}
    assert.deepEqual(entry, { created_by: 'sh -c a  b', author: 'me', comment: 'hello' })
    assert.match(`${created}`, /^\d{4}-.*Z$/)
    assert.equal(config.author, 'me')
  })

  it('takes a config in the place of its own, and the rest from its own', async () => {
    const { id } = await commit({
      config: { Cmd: ['sh'], Env: ['A=b'], WorkingDir: '/w' },
      asked: { Cmd: ['only'], Env: ['Z=1'] },
    })
    assert.deepEqual(documentOf(store, id).config, {
      ...{ Env: ['Z=1', 'A=b'], Cmd: ['only'], WorkingDir: '/w' },
    })
  })

  it('has no layer of its own where it has changed nothing', async () => {
    const upper = folder.file('nothing')
    await run('mkdir', [upper])
    const { id } = await commit({ layers: { upper, lower: [lower] } })
    const config = documentOf(store, id)
    assert.equal(config.rootfs.diff_ids.length, 1)
    assert.equal(config.history.at(-1)?.empty_layer, true)
  })

  it('is kept without a name, and keeps the image whose name it takes', async () => {
    const name = 'docker.io/library/taken:1'
    const first = await commit({ names: [name], comment: 'first' })
    const second = await commit({ names: [name], comment: 'second' })
    const third = await commit({ comment: 'third' })
    assert.equal(store.images.get(name)?.descriptor.digest, second.manifest.digest)
    const unnamed = store.images.unnamed().map(({ descriptor }) => descriptor.digest)
    assert.ok(unnamed.includes(first.manifest.digest) && unnamed.includes(third.manifest.digest))
  })

  it('is no image for instructions that make files, and none is left', async () => {
    const before = store.images.targets().length
    const refusals = [
      ['RUN x', 'RUN is not a valid change command'],
      ['FROM x', 'FROM is not a valid change command'],
      ['XX x', 'XX is not a valid change command'],
      ['CMD a\nCOPY a b', 'COPY is not a valid change command'],
      ['CMD a\nFROM b', 'FROM is not a valid change command'],
      ['ARG x', 'ARG is not a valid change command'],
    ] as const
    for (const [change, message] of refusals) {
      await assert.rejects(commit({ changes: [change] }), { code: 'USAGE', message }, change)
    }
    await assert.rejects(commit({ changes: ['EXPOSE x/y/z'] }), { code: 'DOCKERFILE_INVALID' })
    await assert.rejects(commit({ image: `sha256:${'0'.repeat(64)}` as Digest }), {
      code: 'NOT_FOUND',
    })
    const upper = folder.file('marked')
    await run('sh', ['-c', `mkdir ${upper}; echo x > ${upper}/.wh.file`])
    await assert.rejects(commit({ layers: { upper, lower: [lower] } }), { code: 'LAYER_INVALID' })
    assert.equal(store.images.targets().length, before)
  })

  it('takes the bytes that find counts in files, once for all names of one', async () => {
    const { changed, total } = await files.size({ upper: folder.file('upper'), lower: [lower] })
    const bytesIn = async (path: string): Promise<number> => {
      const find = `find ${path} ! -type d -printf '%i %s\\n' | sort -u`
      const { stdout } = await run('sh', ['-c', `${find} | awk '{ sum += $2 } END { print sum }'`])
      return Number(stdout)
    }
    const [upperSize, lowerSize] = [await bytesIn(folder.file('upper')), await bytesIn(lower)]
    assert.ok(upperSize > 1 << 20)
    assert.deepEqual([changed, total], [upperSize, upperSize + lowerSize])
  })
})

interface ConfigDocument {
  readonly author: string
  readonly config: unknown
  readonly history: readonly Readonly<Record<string, string | boolean>>[]
  readonly rootfs: { readonly diff_ids: readonly string[] }
}

function documentOf(store: Store, digest: Digest): ConfigDocument {
  return JSON.parse(readFileSync(store.blobs.path(digest), 'utf8'))
}

function blobOf(layout: string, digest: Digest): string {
  return join(layout, 'blobs', digest.replace(':', '/'))
}

/** Copies the only image of a layout. */
async function putLayout(
  store: Store,
  layout: string,
): Promise<{ readonly digest: Digest; readonly layers: readonly Descriptor[] }> {
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'))
  const descriptor: Descriptor = manifests[0]
  const manifest: Manifest = JSON.parse(readFileSync(blobOf(layout, descriptor.digest), 'utf8'))
  for (const one of [manifest.config, ...manifest.layers, descriptor]) {
    await store.blobs.put(one, createReadStream(blobOf(layout, one.digest)))
  }
  assert.ok(existsSync(store.blobs.path(descriptor.digest)))
  return { digest: descriptor.digest, layers: manifest.layers }
}
