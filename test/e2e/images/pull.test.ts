import assert from 'node:assert/strict'
import {
  busyboxBase,
  copyImage,
  pushLayout,
  type Registry,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { mustBuild, tsbuild } from '../support/tsbuild.ts'
import { rawManifest } from './skopeo.ts'

describe('tsbuild pull and history', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let name = ''
  before(async () => {
    directory = temporaryDirectory('pull')
    registry = await startRegistry()
    name = `${registry.host}/busybox`
    await pushLayout(await busyboxBase(), `${name}:latest`)
    await pushLayout(await busyboxBase(), `${name}:other`)
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const store = (label: string) => ({ root: directory.file(label) })

  it('takes the whole image: skopeo reads it from the store with the digest of the registry', async () => {
    const start = store('whole')
    const { stdout, stderr } = await mustBuild(['pull', name], start)
    const digest = (await rawManifest(`docker://${name}:latest`)).digest
    assert.equal(
      stdout,
      `Digest: ${digest}\nStatus: Downloaded newer image for ${name}:latest\n${name}:latest\n`,
    )
    assert.match(stderr, /^Using default tag: latest$/m)
    const copy = `oci:${directory.file('copy')}:copy`
    await copyImage(`oci:${start.root}:${name}:latest`, copy)
    assert.equal((await rawManifest(copy)).digest, digest)
    const again = await mustBuild(['pull', '-q', name], start)
    assert.equal(again.stdout, `${name}:latest\n`)
    const third = await mustBuild(['pull', `${name}:latest`], start)
    assert.match(third.stdout, /^Status: Image is up to date for /m)
  })

  it('takes every tag of a repository, and none with a tag', async () => {
    const start = store('tags')
    await mustBuild(['pull', '--all-tags', name], start)
    const { stdout } = await mustBuild(['images', '--format=json'], start)
    const names = (JSON.parse(stdout) as { name: string }[]).map((one) => one.name)
    assert.deepEqual(names, [`${name}:latest`, `${name}:other`])
    const refused = await tsbuild(['pull', '-a', `${name}:latest`], start)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /tag cannot be used with --all-tags/)
  })

  it('fails for an image that is not there and leaves no name', async () => {
    const start = store('absent')
    const { status, stderr } = await tsbuild(['pull', `${name}:absent`], start)
    assert.equal(status, 1)
    assert.match(stderr, /not found in registry/)
    assert.equal((await mustBuild(['images', '-q'], start)).stdout, '')
  })

  it('shows the same history of the store and of the registry', async () => {
    const start = store('history')
    await mustBuild(['pull', '-q', name], start)
    const local = await mustBuild(['history', '--no-trunc', '--format=json', name], start)
    const empty = store('empty')
    const remote = await mustBuild(
      ['history', '--remote', '--no-trunc', '--format=json', name],
      empty,
    )
    assert.equal(remote.stdout, local.stdout)
    const { document } = await rawManifest(`docker://${name}:latest`)
    const [first, ...rest] = local.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(first.ID, document.config?.digest)
    for (const step of rest) assert.equal(step.ID, '<missing>')
    const table = await mustBuild(['history', name], start)
    assert.match(table.stdout, /^IMAGE +CREATED +CREATED BY +SIZE +COMMENT\n[0-9a-f]{12} /)
    const absent = await tsbuild(['history', name], empty)
    assert.match(absent.stderr, /no image .* in the local store/)
  })

  it('inspects a remote image as a pulled one, in our form and by templates', async () => {
    const start = store('inspected')
    const empty = store('none')
    await mustBuild(['pull', '-q', name], start)
    const local = await mustBuild(['inspect', name], start)
    const remote = await mustBuild(['inspect', '--remote', name], empty)
    assert.deepEqual(JSON.parse(remote.stdout), JSON.parse(local.stdout))
    const { document } = await rawManifest(`docker://${name}:latest`)
    const format = ['-f', '{{.Id}} {{json .RepoTags}}']
    const expected = `${document.config?.digest} ["${name}:latest"]\n`
    assert.equal((await mustBuild(['inspect', ...format, name], start)).stdout, expected)
    const asked = await mustBuild(['inspect', '--remote', ...format, name], empty)
    assert.equal(asked.stdout, expected)
    const refused = await tsbuild(['inspect', '-f', '{{shout .Id}}', name], start)
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /unknown function or action "shout"/)
  })
})
