import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import {
  compareTrees,
  type ReadImage,
  type Registry,
  readImage,
  readTree,
  run,
  startBusyboxRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, tsbuild } from '../support/tsbuild.ts'

describe('outputs', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let context: string
  let reference: ReadImage

  before(async () => {
    directory = temporaryDirectory('outputs')
    registry = await startBusyboxRegistry()
    context = writeContext(directory.file('context'), {
      Dockerfile: [
        `FROM ${registry.host}/busybox:latest`,
        'RUN mkdir -p /data && echo one > /data/one && ln /data/one /data/two && rm /bin/vi',
        'COPY --chown=12:34 --chmod=640 note /data/note',
        'CMD ["cat", "/data/one"]',
        '',
      ].join('\n'),
      note: 'a note\n',
    })
    const image = `${registry.host}/out:latest`
    await mustBuild(['-t', image, '--push', context], start())
    reference = await readImage(`docker://${image}`, directory.path, 'reference')
    assert.equal(reference.tree.get('/data/note')?.owner, '12:34')
    assert.equal(reference.tree.get('/data/two')?.linkOf, '/data/one')
    assert.equal(reference.tree.has('/bin/vi'), false)
  })

  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const start = () => ({ root: directory.file('store') })
  const name = () => `${registry.host}/out:latest`

  async function same(skopeoName: string, unpackedAs: string): Promise<void> {
    const image = await readImage(skopeoName, directory.path, unpackedAs)
    assert.deepEqual(image.config, reference.config)
    assert.deepEqual(compareTrees(image.tree, reference.tree), [])
  }

  it('type=oci is an archive that skopeo reads', async () => {
    const file = directory.file('oci.tar')
    await mustBuild(['-t', name(), '-o', `type=oci,dest=${file}`, context], start())
    await same(`oci-archive:${file}`, 'oci')
  })

  it('type=oci,tar=false is a directory that skopeo reads', async () => {
    const dest = directory.file('oci-directory')
    await mustBuild(['-t', name(), '-o', `type=oci,tar=false,dest=${dest}`, context], start())
    await same(`oci:${dest}`, 'oci-unpacked')
  })

  it('type=docker is an archive that skopeo reads, with the name', async () => {
    const file = directory.file('docker.tar')
    await mustBuild(['-t', name(), '-o', `type=docker,dest=${file}`, context], start())
    await same(`docker-archive:${file}`, 'docker')
    const { stdout } = await run('tar', ['-xOf', file, 'manifest.json'])
    const [{ RepoTags } = { RepoTags: [] }] = JSON.parse(stdout) as { RepoTags: string[] }[]
    assert.deepEqual(RepoTags, [name()])
  })

  it('type=local writes the files', async () => {
    const dest = directory.file('local')
    await mustBuild(['-o', `type=local,dest=${dest}`, context], start())
    assert.equal(readFileSync(`${dest}/data/one`, 'utf8'), 'one\n')
    const files = await readTree(dest)
    const wanted = [...reference.tree.keys()].filter((path) => path !== '/')
    assert.deepEqual(
      [...files.keys()].filter((path) => path !== '/'),
      wanted,
    )
  })

  it('type=tar is an archive of the files, also on standard output', async () => {
    const dest = directory.file('from-tar')
    const file = directory.file('files.tar')
    mkdirSync(dest)
    await mustBuild(['-o', `type=tar,dest=${file}`, context], start())
    await run('tar', ['-xpf', file, '-C', dest, '--numeric-owner'])
    assert.deepEqual(compareTrees(await readTree(dest), reference.tree).filter(notRoot), [])
    const piped = await tsbuild(['-o', '-', context], start())
    assert.equal(piped.status, 0)
    assert.equal(piped.stdout.length > 0 && piped.stdout === readFileSync(file).toString(), true)
  })

  it('writes the image id and the metadata to files', async () => {
    const iidfile = directory.file('iid')
    const metadata = directory.file('metadata.json')
    await mustBuild(
      ['-t', name(), '--iidfile', iidfile, '--metadata-file', metadata, context],
      start(),
    )
    const raw = await run('skopeo', [
      ...['--insecure-policy', 'inspect', '--raw', '--tls-verify=false'],
      `docker://${name()}`,
    ])
    const { config } = JSON.parse(raw.stdout) as { config: { digest: string } }
    assert.equal(readFileSync(iidfile, 'utf8').trim(), config.digest)
    const written = JSON.parse(readFileSync(metadata, 'utf8')) as Record<string, unknown>
    assert.equal(written['containerimage.config.digest'], config.digest)
  })

  it('takes a file system out of a stage', async () => {
    const dest = directory.file('stage')
    const file = writeContext(directory.file('stages'), {
      Dockerfile: `FROM ${registry.host}/busybox:latest AS make\nRUN echo made > /made\nFROM scratch\nCOPY --from=make /made /\n`,
    })
    await mustBuild(['-o', dest, file], start())
    assert.deepEqual([...(await readTree(dest)).keys()], ['/', '/made'])
  })

  function notRoot(line: string): boolean {
    return !line.startsWith('/: ')
  }
})
