import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '#cache'
import { type Digest, hexOf } from '#core'
import { ImageLab } from './support/image-lab.ts'

const CONTAINER = 'c0ffee'.padEnd(64, '0')

describe('removing images', () => {
  let lab: ImageLab
  before(async () => {
    lab = await ImageLab.start()
  })
  after(() => lab[Symbol.asyncDispose]())
  beforeEach(async () => {
    await lab.clear()
    await lab.pull()
    lab.takeEvents()
  })

  const idOf = async (name: string): Promise<string> => (await lab.images.find({ text: name })).id
  const names = async (): Promise<readonly unknown[]> =>
    (await lab.images.list({}, 56)).map(({ RepoTags }) => RepoTags)
  const remove = (text: string, force = false) => lab.images.remove(text, { force })
  const refused = (text: string, force: boolean, message: string): Promise<void> =>
    assert.rejects(remove(text, force), { code: 'CONFLICT', message })

  it('is refused as long as a container runs, in docker’s words', async () => {
    const { busybox, users } = lab
    const image = await idOf(busybox)
    const short = image.slice(7, 19)
    users.push({ id: CONTAINER, image, isRunning: true })
    await refused(
      busybox,
      false,
      `conflict: unable to remove repository reference ${JSON.stringify(busybox)} (must force) - container c0ffee000000 is using its referenced image ${short}`,
    )
    const runs = `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container c0ffee000000`
    await refused(short, false, runs)
    await refused(short, true, runs)
    assert.deepEqual(await names(), [[`${busybox}:latest`]])
    assert.deepEqual(lab.takeEvents(), [])
  })

  it('by its name takes the name of an image that runs, when it is forced', async () => {
    const { busybox, users } = lab
    users.push({ id: CONTAINER, image: await idOf(busybox), isRunning: true })
    const items = await remove(busybox, true)
    assert.deepEqual(
      items.map((one) => Object.keys(one)[0]),
      ['Untagged', 'Untagged'],
    )
    assert.deepEqual(await names(), [[]])
    const actions = lab.takeEvents().map(({ Action }) => Action)
    assert.deepEqual(actions, ['untag'])
  })

  it('takes an image of a stopped container when it is forced', async () => {
    const { busybox, users } = lab
    const image = await idOf(busybox)
    users.push({ id: CONTAINER, image, isRunning: false })
    await refused(
      image,
      false,
      `conflict: unable to delete ${image.slice(7, 19)} (must be forced) - image is being used by stopped container c0ffee000000`,
    )
    const items = await remove(image, true)
    assert.ok(items.some((one) => 'Deleted' in one && one.Deleted === image))
    assert.deepEqual(await names(), [])
  })

  it('by one of several names leaves the image', async () => {
    const { busybox, images } = lab
    await images.tag(busybox, 'other', 'one')
    assert.deepEqual(await remove('other:one'), [{ Untagged: 'other:one' }])
    assert.deepEqual(await names(), [[`${busybox}:latest`]])
  })

  it('frees what the image took, and nothing that another one has', async () => {
    const { busybox, images } = lab
    const { manifest } = await images.find({ text: busybox })
    const [layer] = manifest.layers
    assert.ok(layer)
    const isThere = (digest: Digest): boolean =>
      existsSync(join(images.options.root, 'blobs/sha256', hexOf(digest)))
    await images.tag(busybox, 'other', 'one')
    await remove(busybox)
    assert.equal(isThere(layer.digest), true)
    await remove('other:one')
    assert.equal(isThere(layer.digest), false)
    assert.equal(isThere(manifest.config.digest), false)
  })

  it('keeps an image whose name was taken, until it is pruned', async () => {
    const { busybox, images } = lab
    await using store = openStore(images.options.root)
    const { target } = await images.find({ text: busybox })
    const other = await store.blobs.putBytes(target.mediaType, Buffer.from(MANIFEST))
    await store.blobs.putBytes('application/json', Buffer.from('{}'))
    await store.images.set(`${busybox}:latest`, other, { replaced: 'kept' })
    const dangling = await images.list({ filters: '{"dangling":["true"]}' }, 42)
    assert.deepEqual(
      dangling.map(({ RepoTags, RepoDigests }) => [RepoTags, RepoDigests]),
      [[['<none>:<none>'], ['<none>@<none>']]],
    )
    await store.images.remove(`${busybox}:latest`)
    const report = await images.prune('{"dangling":["true"]}')
    assert.ok(report.SpaceReclaimed > 0)
    assert.deepEqual(await images.list({}, 56), [])
  })

  it('prunes all that no container has when it is asked to', async () => {
    const { busybox, images, users } = lab
    users.push({ id: CONTAINER, image: await idOf(busybox), isRunning: false })
    assert.deepEqual(await images.prune('{"dangling":["false"]}'), {
      ImagesDeleted: null,
      SpaceReclaimed: 0,
    })
    users.length = 0
    const { ImagesDeleted } = await images.prune('{"dangling":["false"],"until":["1h"]}')
    assert.ok(ImagesDeleted && ImagesDeleted.length >= 3)
    assert.deepEqual(await names(), [])
    assert.equal(lab.takeEvents().at(-1)?.Action, 'prune')
  })
})

/** Of an image without layers. */
const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  config: {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
    size: 2,
  },
  layers: [],
})
