import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  type Registry,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, tsbuild } from '../support/tsbuild.ts'

interface Document {
  readonly mediaType: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly config?: Document
  readonly layers?: readonly Document[]
  readonly manifests?: readonly (Document & {
    readonly platform?: { readonly architecture: string }
  })[]
  readonly digest?: string
  readonly size?: number
}

describe('forms of images', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  before(async () => {
    directory = temporaryDirectory('forms')
    registry = await startBusyboxRegistry()
    writeContext(directory.file('context'), {
      Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY note /note\nLABEL arch=$TARGETARCH\n',
      note: 'a note\n',
    })
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = () => ({ root: directory.file('store') })
  const image = (tag: string) => `${registry.host}/app${tag}`
  const BOTH = ['--platform', 'linux/amd64,linux/arm64']
  const build = (...flags: readonly string[]) =>
    mustBuild(['-q', ...flags, directory.file('context')], start())

  async function inspect(name: string): Promise<Document> {
    const raw = ['--insecure-policy', 'inspect', '--raw', '--tls-verify=false', `docker://${name}`]
    return JSON.parse((await run('skopeo', raw)).stdout) as Document
  }

  it('have annotations at every level, and of one platform', async () => {
    const flags = [
      ...['manifest:m=all', 'manifest[linux/arm64]:m=arm', 'index:i=1', 'index-descriptor:d=2'],
      'manifest-descriptor[linux/amd64]:e=3',
    ].flatMap((text) => ['--annotation', text])
    const metadata = directory.file('metadata.json')
    const pushed = ['-t', image(':both'), '-o', 'type=registry,annotation.o=4', ...BOTH, ...flags]
    await build(...pushed, '--metadata-file', metadata)
    const index = await inspect(image(':both'))
    assert.deepEqual(index.annotations, { i: '1' })
    const [amd64, arm64] = index.manifests ?? []
    assert.deepEqual([amd64?.annotations, arm64?.annotations], [{ e: '3' }, undefined])
    const manifests = [
      await inspect(image(`@${amd64?.digest}`)),
      await inspect(image(`@${arm64?.digest}`)),
    ]
    assert.deepEqual(
      manifests.map(({ annotations }) => annotations),
      [
        { m: 'all', o: '4' },
        { m: 'arm', o: '4' },
      ],
    )
    const written = JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, Document>
    assert.deepEqual(written['containerimage.descriptor']?.annotations, { d: '2' })
  })

  it('have them in layouts as well, where the entry of an image has those of its descriptor', async () => {
    const layout = directory.file('layout')
    const output = ['-o', `type=oci,tar=false,dest=${layout}`]
    await build(...output, '-t', 'app:1', '--annotation', 'manifest,manifest-descriptor:a=b')
    const index = JSON.parse(readFileSync(`${layout}/index.json`, 'utf8')) as Document
    const [entry] = index.manifests ?? []
    assert.equal(entry?.annotations?.a, 'b')
    assert.equal(entry?.annotations?.['org.opencontainers.image.ref.name'], '1')
    const path = `${layout}/blobs/${entry?.digest?.replace(':', '/')}`
    assert.deepEqual((JSON.parse(readFileSync(path, 'utf8')) as Document).annotations, { a: 'b' })
  })

  it("have docker's media types, which docker's registry and skopeo read", async () => {
    await build('-t', image(':docker'), '-o', 'type=registry,oci-mediatypes=false', ...BOTH)
    const index = await inspect(image(':docker'))
    assert.match(index.mediaType, /^application\/vnd\.docker\.distribution\.manifest\.list\.v2/)
    const [first] = index.manifests ?? []
    const manifest = await inspect(image(`@${first?.digest}`))
    const types = [manifest, manifest.config, ...(manifest.layers ?? [])].map(
      (one) => one?.mediaType,
    )
    assert.deepEqual(types, [
      'application/vnd.docker.distribution.manifest.v2+json',
      'application/vnd.docker.container.image.v1+json',
      'application/vnd.docker.image.rootfs.diff.tar.gzip',
    ])
    const copied = directory.file('copied')
    const copy = ['--insecure-policy', 'copy', '--src-tls-verify=false']
    await run('skopeo', [...copy, `docker://${image(':docker')}`, `dir:${copied}`])
    writeContext(directory.file('on-top'), {
      Dockerfile: `FROM ${image(':docker')}\nCOPY --from=${image(':docker')} note /again\n`,
    })
    const other = { root: directory.file('other') }
    await mustBuild(['-o', directory.file('files'), directory.file('on-top')], other)
    assert.equal(readFileSync(directory.file('files/again'), 'utf8'), 'a note\n')
  })

  it('are pushed by digest without a tag, and kept under names with it', async () => {
    const output = 'type=image,push=true,push-by-digest=true,name-canonical=true'
    const iid = directory.file('iid')
    const metadata = directory.file('by-digest.json')
    const name = `${registry.host}/untagged`
    await build('-o', `${output},name=${name}`, '--iidfile', iid, '--metadata-file', metadata)
    const written = JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, string>
    const digest = written['containerimage.digest'] ?? ''
    assert.equal((await inspect(`${name}@${digest}`)).config?.digest, readFileSync(iid, 'utf8'))
    const missing = await run('sh', [
      '-c',
      `skopeo list-tags --tls-verify=false docker://${name} || true`,
    ])
    assert.doesNotMatch(missing.stdout, /latest/)
    const index = JSON.parse(readFileSync(directory.file('store/index.json'), 'utf8')) as Document
    const names = index.manifests?.map(({ annotations }) => {
      return (
        annotations?.['io.containerd.image.name'] ??
        annotations?.['org.opencontainers.image.ref.name']
      )
    })
    // In the store layers are not packed, so the digest is another one there.
    assert.equal(
      names?.some((one) => /\/untagged@sha256:[0-9a-f]{64}$/.test(one ?? '')),
      true,
    )
  })

  it('are packed at the level that is asked for, layers of the base too if forced', async () => {
    const context = writeContext(directory.file('based'), {
      Dockerfile: `FROM ${registry.host}/busybox\nCOPY text /text\n`,
      text: Array.from({ length: 20_000 }, (_, line) => `line ${line * 7919}\n`).join(''),
    })
    const push = async (tag: string, options: string): Promise<readonly Document[]> => {
      const flags = ['-q', '-t', image(tag), '-o', `type=registry,${options}`, context]
      await mustBuild(flags, start())
      return (await inspect(image(tag))).layers ?? []
    }
    // A registry is not sent another form of what it has.
    const sizes = []
    for (const level of [1, 9]) {
      const layout = directory.file(`level-${level}`)
      const output = `type=oci,tar=false,dest=${layout},compression-level=${level}`
      await mustBuild(['-q', '-o', output, context], start())
      sizes.push(Number.parseInt((await run('du', ['-sb', layout])).stdout, 10))
    }
    assert.equal((sizes[0] ?? 0) > (sizes[1] ?? 0), true, String(sizes))
    const forced = await push(
      ':forced',
      'compression=zstd,compression-level=19,force-compression=true',
    )
    const types = (layers: readonly Document[]) => layers.map((one) => one.mediaType.split('+')[1])
    assert.deepEqual(types(forced), ['zstd', 'zstd'])
    const top = {
      Dockerfile: `FROM ${image(':forced')}\nRUN test -x /bin/busybox && test -f /text\n`,
    }
    await mustBuild([writeContext(directory.file('forced'), top)], {
      root: directory.file('other'),
    })
  })

  it('refuse what there is not, before anything is built', async () => {
    const output = 'type=registry,compression-level=10'
    const flags = ['-t', image(':x'), '-o', output, directory.file('context')]
    const { status, stderr } = await tsbuild(flags, start())
    assert.notEqual(status, 0)
    assert.match(stderr, /compression-level.*\(USAGE\)/)
  })

  it('go to several outputs at once, one of them standard output', async () => {
    const archive = directory.file('several.tar')
    const flags = [
      '-o',
      `type=oci,dest=${archive}`,
      '-o',
      'type=docker,dest=-',
      '-o',
      'type=cacheonly',
    ]
    const { stdout } = await build('-t', 'several:1', ...flags, '-o', directory.file('several'))
    assert.match(stdout, /manifest\.json/)
    assert.equal(readFileSync(directory.file('several/note'), 'utf8'), 'a note\n')
    await run('skopeo', ['inspect', `oci-archive:${archive}`])
  })

  it('are folders of platforms where that is asked for', async () => {
    const dest = directory.file('split')
    await build('-o', `type=local,dest=${dest},platform-split=true`, '--platform', 'linux/arm64')
    assert.equal(readFileSync(`${dest}/linux_arm64/note`, 'utf8'), 'a note\n')
    const joined = directory.file('joined')
    await build('-o', `type=local,dest=${joined},platform-split=false`, ...BOTH)
    assert.equal(readFileSync(`${joined}/note`, 'utf8'), 'a note\n')
  })
})
