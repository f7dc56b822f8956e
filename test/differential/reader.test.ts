import assert from 'node:assert/strict'
import { build } from '#builder'
import { compareBuilt, mergeLayers, readLayoutImage } from '../support/differential/index.ts'
import {
  compareTrees,
  readImage,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../support/peers/index.ts'

const STEPS = [
  'RUN mkdir -p /a/b /gone /opaque/old && echo x > /a/f && ln /a/f /a/b/g && ln -s f /a/l',
  'RUN mkfifo -m 0640 /a/fifo && mknod /a/zero c 1 5 && chmod 4755 /a/f && chown 5:6 /a/b',
  'RUN touch /gone/x /opaque/old/x /file && echo y > /a/b/other',
  'RUN rm -r /gone /opaque /file && mkdir /opaque /file && touch /opaque/new /file/x && rm /a/f',
  'RUN rm -r /a/b/other && echo z > /bin/vi.new && mv /bin/vi.new /bin/vi && touch -d @7 /a/b/g',
]

/** The suite is worth what its reader of images is. */
describe('how images are read to be compared', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  let digests: readonly string[]

  before(async function () {
    if (process.getuid?.() !== 0) this.skip()
    directory = temporaryDirectory('reader')
    await using registry = await startBusyboxRegistry()
    const steps = [`FROM ${registry.host}/busybox`, ...STEPS]
    const made = async (lines: readonly string[], tag: string): Promise<string> => {
      const { digest = '' } = await build({
        context: directory.path,
        root: directory.file('store'),
        dockerfile: lines.join('\n'),
        tags: [tag],
        network: 'host',
        insecureRegistries: [registry.host],
      })
      return digest
    }
    digests = [
      await made(steps, 'all'),
      await made([...steps, 'RUN chmod 700 /a', 'ENV a=b'], 'more'),
    ]
  })

  after(() => directory?.[Symbol.dispose]())

  it('sees what umoci unpacks', async () => {
    const store = directory.file('store')
    const image = await readLayoutImage(store, digests[0] ?? '', new Map())
    const reference = `oci:${store}:docker.io/library/all:latest`
    const unpacked = await readImage(reference, directory.path, 'unpacked')
    const tree = mergeLayers(image.layers, Number.MAX_SAFE_INTEGER)
    assert.equal(tree.get('/a/b/g')?.mtime, '7')
    const withoutTimes = [...tree].map(([path, { mtime: _, ...entry }]) => [path, entry] as const)
    assert.deepEqual(compareTrees(new Map(withoutTimes), unpacked.tree), [])
  })

  it('sees every difference', async () => {
    const known = new Map()
    const [one, two] = await Promise.all(
      digests.map((digest) => readLayoutImage(directory.file('store'), digest, known)),
    )
    assert.ok(one !== undefined && two !== undefined)
    assert.deepEqual(compareBuilt(one, one, { since: 0, witness: 'docker.io' }), [])
    assert.deepEqual(
      compareBuilt(one, two, { since: Number.MAX_SAFE_INTEGER, witness: 'docker.io' }).map(
        (line) => line.split(':')[0],
      ),
      [
        'config.Env[1]',
        'history[6].created_by',
        'history[6].comment',
        'history[7].created_by',
        'history[7].comment',
        'history[7].empty_layer',
        'layers',
        '/a mode',
      ],
    )
  })
})
