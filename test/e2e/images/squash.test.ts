import assert from 'node:assert/strict'
import {
  compareTrees,
  type Registry,
  readImage,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, tsbuild } from '../support/tsbuild.ts'

describe('--squash', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let context: string
  before(async () => {
    directory = temporaryDirectory('squash')
    registry = await startBusyboxRegistry()
    context = writeContext(directory.file('context'), {
      Dockerfile: [
        `FROM ${registry.host}/busybox`,
        'RUN mkdir /data && echo secret > /data/secret && echo one > /data/one && ln /data/one /data/two',
        'COPY --chown=12:34 note /data/note',
        'RUN rm /data/secret /bin/vi && rm -r /home && echo file > /home && chmod 700 /tmp',
        'RUN mkdir -p /var/deep/er && ln -s one /data/link && rm /data/one && echo new > /data/one',
        'ENV A=b',
        '',
      ].join('\n'),
      note: 'a note\n',
    })
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = () => ({ root: directory.file('store') })
  const image = (tag: string) => `${registry.host}/app:${tag}`
  async function pushed(tag: string, ...flags: readonly string[]) {
    await mustBuild(['-q', '-t', image(tag), '-o', 'type=registry', ...flags, context], start())
    return await readImage(`docker://${image(tag)}`, directory.path, tag)
  }

  it('gives an image with the same files, history and settings, and one layer on the base', async () => {
    const plain = await pushed('plain')
    const squashed = await pushed('squashed', '--squash')
    assert.deepEqual(compareTrees(squashed.tree, plain.tree), [])
    assert.equal(squashed.tree.get('/data/two')?.linkOf, undefined)
    assert.equal(squashed.tree.has('/data/secret') || squashed.tree.has('/bin/vi'), false)
    const { config, rootfs, history } = await documentOf('squashed')
    const before = await documentOf('plain')
    assert.deepEqual(config, before.config)
    assert.equal(rootfs.diff_ids.length, 2)
    assert.equal(rootfs.diff_ids[0], before.rootfs.diff_ids[0])
    const steps = (all: typeof history) => all.map(({ created_by }) => created_by)
    assert.deepEqual(steps(history), steps(before.history))
    assert.equal(history.filter(({ empty_layer }) => empty_layer !== true).length, 2)
  })

  it('leaves nothing in the layer of what later steps delete', async () => {
    const layout = directory.file('layout')
    const output = `type=oci,tar=false,compression=uncompressed,dest=${layout}`
    await mustBuild(['-q', '--squash', '-o', output, context], start())
    const { rootfs } = await documentOf('squashed')
    const hex = rootfs.diff_ids[1]?.replace('sha256:', '')
    const { stdout } = await run('tar', ['-tf', `${layout}/blobs/sha256/${hex}`])
    assert.match(stdout, /^bin\/\.wh\.vi$/m)
    assert.doesNotMatch(stdout, /secret|bin\/busybox/)
  })

  it('is found again, and its steps are cached one by one', async () => {
    const { stderr } = await mustBuild(
      ['--squash', '-t', image('again'), '--push', context],
      start(),
    )
    assert.match(stderr, /steps {3}4, all cached/)
    const [first, again] = [await documentOf('squashed'), await documentOf('again')]
    assert.deepEqual(again, first)
  })

  it('does not go with a cache in the image', async () => {
    const { status, stderr } = await tsbuild(
      ['--squash', '--cache-to', 'type=inline', context],
      start(),
    )
    assert.notEqual(status, 0)
    assert.match(stderr, /\(USAGE\)/)
  })

  interface Config {
    readonly config: object
    readonly rootfs: { readonly diff_ids: readonly string[] }
    readonly history: readonly { readonly created_by?: string; readonly empty_layer?: boolean }[]
  }

  async function documentOf(tag: string): Promise<Config> {
    const words = ['inspect', '--config', '--tls-verify=false', `docker://${image(tag)}`]
    return JSON.parse((await run('skopeo', words)).stdout) as Config
  }
})
