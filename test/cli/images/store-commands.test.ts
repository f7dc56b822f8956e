import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '#cache'
import {
  asDiffId,
  type Descriptor,
  digestOf,
  type ImageConfig,
  MEDIA_TYPES,
  serializeImageConfig,
  serializeIndex,
  serializeManifest,
} from '#core'
import { imageTable } from '../../../cli/images/run-images.ts'
import { runProgram } from '../../../cli/main.ts'
import { fakeShell } from '../support/fake-shell.ts'

const LAYER = Buffer.from('a layer')

function imageConfig(author: string): ImageConfig {
  return {
    platform: { os: 'linux', architecture: 'amd64' },
    created: '2024-01-02T03:04:05Z',
    author,
    config: { Cmd: ['/hello'], Env: ['PATH=/bin'] },
    diffIds: [asDiffId(digestOf(LAYER))],
    history: [{ created_by: 'COPY hello /', created: '2024-01-02T03:04:05Z' }],
  }
}

describe('the commands on the local store', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tsbuild-cli-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  /** Puts an image into the store; images differ by their author. */
  async function addImage(author: string, ...names: readonly string[]): Promise<Descriptor> {
    await using store = openStore(root)
    const config = serializeImageConfig(imageConfig(author))
    const document = {
      mediaType: MEDIA_TYPES.ociManifest,
      config: await store.blobs.putBytes(MEDIA_TYPES.ociConfig, config),
      layers: [await store.blobs.putBytes(MEDIA_TYPES.ociLayer, LAYER)],
    }
    const bytes = serializeManifest(document)
    const descriptor = await store.blobs.putBytes(MEDIA_TYPES.ociManifest, bytes)
    for (const name of names) await store.images.set(name, descriptor)
    return descriptor
  }

  async function run(...argv: readonly string[]) {
    const shell = fakeShell({ env: { TSBUILD_ROOT: root } })
    const code = await runProgram(argv, shell)
    return { code, out: shell.out(), err: shell.err() }
  }

  const idOf = (author: string): string => digestOf(serializeImageConfig(imageConfig(author)))

  it('list nothing in an empty store', async () => {
    const { code, out, err } = await run('images')
    assert.deepEqual({ code, err }, { code: 0, err: '' })
    assert.equal(out, 'REPOSITORY   TAG   IMAGE ID   CREATED   SIZE\n')
    assert.equal((await run('images', '--format', 'json')).out, '[]\n')
  })

  it('list images in aligned columns', async () => {
    await addImage('me', 'docker.io/library/hello:latest', 'ghcr.io/me/hello:1.0')
    const { out } = await run('images')
    const id = idOf('me').slice(7, 19)
    const lines = out.replaceAll(/\d+ years? ago/g, 'AGO').split('\n')
    assert.deepEqual(lines, [
      'REPOSITORY         TAG      IMAGE ID       CREATED       SIZE',
      `ghcr.io/me/hello   1.0      ${id}   AGO   ${sizeText()}`,
      `hello              latest   ${id}   AGO   ${sizeText()}`,
      '',
    ])
  })

  const sizeText = (): string => `${LAYER.length + serializeImageConfig(imageConfig('me')).length}B`

  it('list images for programs', async () => {
    const { digest } = await addImage('me', 'docker.io/library/hello:latest')
    assert.deepEqual(JSON.parse((await run('images', '--format=json')).out), [
      {
        name: 'docker.io/library/hello:latest',
        repository: 'hello',
        tag: 'latest',
        id: idOf('me'),
        digest,
        created: '2024-01-02T03:04:05Z',
        size: LAYER.length + serializeImageConfig(imageConfig('me')).length,
      },
    ])
    assert.equal((await run('images', '-q')).out, `${idOf('me')}\n`)
  })

  it('list what can be read when an image is damaged', async () => {
    await addImage('me', 'docker.io/library/good:latest')
    const { digest } = await addImage('you', 'docker.io/library/bad:latest')
    {
      await using store = openStore(root)
      store.blobs.delete(digest)
    }
    const { code, out, err } = await run('images')
    assert.equal(code, 0)
    assert.match(out, /\ngood +latest/)
    assert.doesNotMatch(out, /\nbad/)
    assert.match(err, /^WARNING: cannot read docker.io\/library\/bad:latest: .+\n$/)
  })

  it('inspect an image by name, id and digest', async () => {
    const { digest } = await addImage('me', 'docker.io/library/hello:latest')
    const byName = await run('inspect', 'hello')
    assert.equal(byName.code, 0)
    const [image, more] = JSON.parse(byName.out)
    assert.equal(more, undefined)
    const { config, diffIds, history } = imageConfig('me')
    assert.deepEqual(image, {
      names: ['docker.io/library/hello:latest'],
      id: idOf('me'),
      digest,
      mediaType: MEDIA_TYPES.ociManifest,
      platform: 'linux/amd64',
      created: '2024-01-02T03:04:05Z',
      author: 'me',
      config,
      layers: [
        {
          digest: digestOf(LAYER),
          diffId: diffIds[0],
          mediaType: MEDIA_TYPES.ociLayer,
          size: LAYER.length,
        },
      ],
      history: history.map(({ created, created_by }) => ({ created, created_by })),
    })
    for (const text of [idOf('me'), idOf('me').slice(7, 19), digest, digest.slice(0, 15)]) {
      assert.equal((await run('inspect', text)).out, byName.out, text)
    }
  })

  it('inspect the platform of an index that fits best', async () => {
    const manifest = await addImage('me')
    {
      await using store = openStore(root)
      const absent = { ...manifest, digest: digestOf('absent') }
      const manifests = [
        { ...absent, platform: { os: 'linux', architecture: 's390x' } },
        { ...manifest, platform: { os: 'linux', architecture: 'amd64' } },
      ]
      const bytes = serializeIndex({ mediaType: MEDIA_TYPES.ociIndex, manifests })
      const index = await store.blobs.putBytes(MEDIA_TYPES.ociIndex, bytes)
      await store.images.set('docker.io/library/multi:latest', index)
    }
    const [image] = JSON.parse((await run('inspect', 'multi')).out)
    assert.equal(image.manifestDigest, manifest.digest)
    assert.notEqual(image.digest, manifest.digest)
    assert.equal(image.id, idOf('me'))
  })

  it('give an image another name and take names away', async () => {
    const { digest } = await addImage('me', 'docker.io/library/hello:latest')
    assert.deepEqual(await run('tag', 'hello', 'localhost:5000/x'), { code: 0, out: '', err: '' })
    const [image] = JSON.parse((await run('inspect', digest)).out)
    const both = ['docker.io/library/hello:latest', 'localhost:5000/x:latest']
    assert.deepEqual(image.names, both)
    const removed = await run('rmi', 'hello')
    assert.deepEqual(removed, { code: 0, out: `removed ${both[0]}\n`, err: '' })
    assert.equal((await run('images', '-q')).out, `${idOf('me')}\n`)
    assert.equal((await run('rmi', idOf('me').slice(7, 15))).out, `removed ${both[1]}\n`)
    assert.equal((await run('images', '-q')).out, '')
  })

  it('remove nothing when one name is wrong', async () => {
    await addImage('me', 'docker.io/library/hello:latest')
    assert.deepEqual(await run('rmi', 'hello', 'helo'), {
      code: 1,
      out: '',
      err: 'ERROR: no image helo in the local store (NOT_FOUND)\nhint: did you mean hello?\n',
    })
    assert.equal((await run('images', '-q')).out, `${idOf('me')}\n`)
  })

  it('refuse missing images and invalid names', async () => {
    const absent =
      'ERROR: no image nothing in the local store (NOT_FOUND)\nhint: tsbuild images lists what is there\n'
    assert.equal((await run('inspect', 'nothing')).err, absent)
    assert.match((await run('inspect', 'Upper')).err, /\(REFERENCE_INVALID\)\n/)
    assert.match((await run('inspect', digestOf('x'))).err, /no image sha256:.*\(NOT_FOUND\)/)
  })

  it('refuse an id that fits several images', async () => {
    const byStart = new Map<string, string>()
    for (let i = 0; ; i += 1) {
      const start = idOf(`author ${i}`).slice(7, 11)
      const other = byStart.get(start)
      byStart.set(start, `author ${i}`)
      if (other === undefined) continue
      await addImage(other, 'docker.io/library/a:latest')
      await addImage(`author ${i}`, 'docker.io/library/b:latest')
      const { err } = await run('inspect', start)
      assert.equal(
        err,
        `ERROR: the id ${start} fits 2 images (NOT_FOUND)\nhint: write more of its digits\n`,
      )
      return
    }
  })

  it('tell ages in words', () => {
    const now = Date.parse('2024-01-02T03:04:05Z')
    const row = (created: string | undefined): string | undefined => {
      const { created: _, ...config } = imageConfig('me')
      const descriptor = { mediaType: '', digest: digestOf(''), size: 0 }
      const manifest = { mediaType: '', config: descriptor, layers: [] }
      const image = {
        names: ['docker.io/library/a:1'],
        target: descriptor,
        descriptor,
        manifest,
        config: created === undefined ? config : { ...config, created },
        createdAt: undefined,
      }
      return imageTable([image], now).split('\n')[1]?.split(/ {3,}/).at(-2)
    }
    assert.equal(row('2024-01-02T03:04:05Z'), 'just now')
    assert.equal(row('2024-01-02T03:04:04Z'), '1 second ago')
    assert.equal(row('2024-01-02T01:00:00Z'), '2 hours ago')
    assert.equal(row('2023-12-20T01:00:00Z'), '1 week ago')
    assert.equal(row('not a time'), 'N/A')
    assert.equal(row(undefined), 'N/A')
  })
})
