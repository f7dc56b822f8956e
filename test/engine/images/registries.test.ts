import assert from 'node:assert/strict'
import type { JsonObject } from '#core'
import { distributionInfo, login, pullImage, pushImage, searchImages } from '#engine/images'
import { copyImage } from '../../support/peers/index.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { collect, ImageLab } from './support/image-lab.ts'

const auth = (document: object): string =>
  Buffer.from(JSON.stringify(document)).toString('base64url')

describe('images in registries', () => {
  let lab: ImageLab
  let closed: MemoryRegistry
  before(async () => {
    lab = await ImageLab.start()
    closed = await MemoryRegistry.start({ auth: { kind: 'basic', users: { ann: 'secret' } } })
    await lab.pull()
    await lab.images.tag(lab.busybox, `${closed.host}/closed/box`, '1')
  })
  after(async () => {
    await closed[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })
  const good = { username: 'ann', password: 'secret' }
  const push = (header: string | undefined) =>
    collect(pushImage(lab.images, { name: `${closed.host}/closed/box`, tag: '1', auth: header }))

  it('are pushed and pulled with the credentials of the request, in any base64', async () => {
    const denied = await push(undefined)
    assert.equal(denied.at(-1)?.error, 'no basic auth credentials')
    const wrong = await push(auth({ ...good, password: 'wrong' }))
    assert.match(wrong.at(-1)?.error ?? '', /denied access/)
    const pushed = await push(Buffer.from(JSON.stringify(good)).toString('base64'))
    assert.equal(pushed[0]?.status, `The push refers to repository [${closed.host}/closed/box]`)
    const { aux } = pushed.at(-1) ?? {}
    assert.equal(aux?.Tag, '1')
    assert.match(String(aux?.Digest), /^sha256:/)
    assert.ok(pushed.some(({ status }) => status === 'Pushed'))
    const { images } = lab
    const inspected = await images.inspect({ text: `${closed.host}/closed/box:1` }, 56)
    assert.ok(
      (inspected.RepoDigests as string[]).includes(`${closed.host}/closed/box@${aux?.Digest}`),
    )
    await images.remove(`${closed.host}/closed/box:1`, { force: false })
    const request = { image: `${closed.host}/closed/box`, tag: '1' }
    await assert.rejects(collect(pullImage(images, request)), {
      code: 'NOT_FOUND',
      message: `failed to resolve reference "${closed.host}/closed/box:1": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`,
    })
    const refused = pullImage(images, { ...request, auth: auth({ ...good, password: 'wrong' }) })
    await assert.rejects(collect(refused), { code: 'REGISTRY_DENIED' })
    const pulled = await collect(pullImage(images, { ...request, auth: auth(good) }))
    assert.match(pulled.at(-1)?.status ?? '', /^Status: Downloaded newer image for .*box:1$/)
  })

  it('never get credentials that name another registry', async () => {
    closed.requests.length = 0
    const answers = await push(auth({ ...good, serveraddress: 'https://elsewhere.example/v2/' }))
    assert.ok(answers.at(-1)?.error)
    assert.ok(closed.requests.length > 0)
    assert.ok(closed.requests.every(({ headers }) => headers.authorization === undefined))
    const accepted = await push(auth({ ...good, serveraddress: `http://${closed.host}/v1/` }))
    assert.equal(accepted.at(-1)?.error, undefined)
  })

  it('take what cannot be read as no credentials', async () => {
    for (const header of ['', '%%%', 'e30', auth({ username: 7 })]) {
      assert.ok((await push(header)).at(-1)?.error, header)
    }
  })

  it('are logged in to', async () => {
    const serveraddress = `${closed.host}/v2`
    const network = {}
    assert.deepEqual(await login({ ...good, serveraddress }, network), {
      IdentityToken: '',
      Status: 'Login Succeeded',
    })
    const wrong = { ...good, password: 'wrong', serveraddress }
    await assert.rejects(login(wrong, network), (error: { code?: string; message: string }) => {
      assert.equal(error.code, 'REGISTRY_DENIED')
      assert.doesNotMatch(error.message, /wrong/)
      return true
    })
  })

  it('tell what they have', async () => {
    const found = await searchImages({ term: `${lab.registry.host}/busy` }, {})
    assert.deepEqual(
      found.map(({ name }) => name),
      [lab.busybox],
    )
    await assert.rejects(searchImages({ term: 'x', limit: 101 }, {}), { code: 'USAGE' })
    const { Descriptor, Platforms } = await distributionInfo(lab.busybox, undefined, {})
    const { target } = await lab.images.find({ text: lab.busybox })
    assert.equal((Descriptor as JsonObject).digest, target.digest)
    assert.deepEqual(Platforms, [{ architecture: 'amd64', os: 'linux' }])
  })

  it('give all tags of a repository', async () => {
    const from = `docker://${lab.busybox}:latest`
    for (const tag of ['a', 'b']) await copyImage(from, `docker://${lab.registry.host}/many:${tag}`)
    const messages = await collect(pullImage(lab.images, { image: `${lab.registry.host}/many` }))
    const begun = messages.filter(({ status }) => status === 'Pulling from many')
    assert.deepEqual(
      begun.map(({ id }) => id),
      ['a', 'b'],
    )
    const ended = `Status: Downloaded newer image for ${lab.registry.host}/many`
    assert.equal(messages.at(-1)?.status, ended)
    const events = lab.takeEvents().filter(({ Action }) => Action === 'pull')
    const ids = events.map(({ Actor }) => Actor.ID)
    assert.ok(ids.includes(`${lab.registry.host}/many:a`))
  })

  it('mount layers that they have elsewhere', async () => {
    await lab.images.tag(lab.busybox, `${lab.registry.host}/mounted/box`, 'x')
    const request = { name: `${lab.registry.host}/mounted/box`, tag: 'x' }
    const messages = await collect(pushImage(lab.images, request))
    assert.ok(messages.some(({ status }) => /^Mounted from (?:busybox|many)$/.test(status ?? '')))
  })
})
