import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { type Digest, hexOf, parseManifestOrIndex } from '#core'
import type { RegistryClient, Repository } from '#registry-client'
import { checkSignatures } from '../../../signing/images/check-signatures.ts'
import { signImage } from '../../../signing/images/sign-image.ts'
import { type ImageSigner, imageSigner } from '../../../signing/keys/image-key.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import { addImage, addIndex, clientOf, NAME, ReferrersFront, repositoryAt } from './fixture.ts'

const newSigner = (): ImageSigner => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  return imageSigner({ name: 'k', pem })
}
const signer = newSigner()
const stranger = newSigner()
const plain = { signer, annotations: {} }

const KINDS = [
  { kind: 'that lists no referrers', isFront: false },
  { kind: 'that lists referrers', isFront: true },
]
for (const { kind, isFront } of KINDS) {
  describe(`signing in a registry ${kind}`, () => {
    let registry: MemoryRegistry
    let front: ReferrersFront | undefined
    let client: RegistryClient
    let repository: Repository
    beforeEach(async () => {
      registry = await MemoryRegistry.start()
      front = isFront ? await ReferrersFront.start(registry) : undefined
      client = clientOf()
      repository = repositoryAt(client, front?.host ?? registry.host)
    })
    afterEach(async () => {
      await client.close()
      await front?.[Symbol.asyncDispose]()
      await registry.close()
    })
    const check = (digest: Digest, verifier = signer, annotations = {}) =>
      checkSignatures(repository, digest, { verifier, annotations })
    const puts = (): number =>
      registry.requests.filter(({ method }) => method === 'PUT' || method === 'POST').length

    it('gives an image both forms, and none again', async () => {
      const image = addImage(registry)
      const { digest } = image.descriptor
      assert.match((await check(digest)).problems.join(), /there is no signature/)
      await signImage(repository, image, plain)
      const { good, others, problems } = await check(digest)
      assert.deepEqual(good.map(({ form }) => form).sort(), ['bundle', 'simple'])
      assert.deepEqual([others, problems], [0, []])
      const before = puts()
      await signImage(repository, image, plain)
      assert.equal(puts(), before)
    })

    it('keeps the signatures of others, and tells them apart', async () => {
      const image = addImage(registry)
      const { digest } = image.descriptor
      await signImage(repository, image, { signer: stranger, annotations: {} })
      assert.match((await check(digest)).problems.join(), /none of its 2 signatures is by this key/)
      await signImage(repository, image, plain)
      for (const verifier of [signer, stranger]) {
        const { good, others, problems } = await check(digest, verifier)
        assert.deepEqual([good.length, others, problems], [2, 2, []])
      }
      const tagged = registry.manifest(NAME, `sha256-${hexOf(digest)}.sig`)
      const { mediaType = '', bytes = Buffer.alloc(0) } = tagged ?? {}
      const parsed = parseManifestOrIndex(bytes, mediaType)
      assert.equal(parsed.kind === 'manifest' && parsed.manifest.layers.length, 2)
      assert.equal(parsed.kind === 'manifest' && parsed.manifest.subject?.digest, digest)
    })

    it('signs what an index lists, and the index last', async () => {
      const images = [addImage(registry, 'a'), addImage(registry, 'b')]
      const index = addIndex(
        registry,
        images.map(({ descriptor }) => descriptor),
      )
      const signed = await signImage(repository, index, plain)
      assert.deepEqual(
        signed,
        [...images, index].map(({ descriptor }) => descriptor.digest),
      )
      for (const digest of signed) assert.deepEqual((await check(digest)).problems, [])
    })

    it('takes annotations for a part of what is signed', async () => {
      const image = addImage(registry)
      const { digest } = image.descriptor
      await signImage(repository, image, { signer, annotations: { env: 'prod' } })
      assert.equal((await check(digest, signer, { env: 'prod' })).good.length, 2)
      const { problems } = await check(digest, signer, { env: 'test' })
      assert.match(problems.join(), /with the annotations env/)
      await signImage(repository, image, { signer, annotations: { env: 'test' } })
      assert.equal((await check(digest, signer, { env: 'test' })).good.length, 2)
    })

    it('loses no signature of two that are made at the same time', async () => {
      const image = addImage(registry)
      const both = [signer, stranger].map((one) =>
        signImage(repository, image, { signer: one, annotations: {} }),
      )
      await Promise.all(both)
      for (const verifier of [signer, stranger]) {
        const { good, problems } = await check(image.descriptor.digest, verifier)
        assert.deepEqual([good.length, problems], [2, []])
      }
    })

    it('fails where a signature was changed and all digests fit', async () => {
      const image = addImage(registry)
      const { digest } = image.descriptor
      await signImage(repository, image, plain)
      const tag = `sha256-${hexOf(digest)}.sig`
      const { mediaType = '', bytes = Buffer.alloc(0) } = registry.manifest(NAME, tag) ?? {}
      const changed = bytes
        .toString()
        .replace(/(cosign\/signature": ".{20})(.)/, (_, start, one) => {
          return `${start}${one === 'A' ? 'B' : 'A'}`
        })
      assert.notEqual(changed, bytes.toString())
      registry.addManifest(NAME, tag, { mediaType, bytes: Buffer.from(changed) })
      const { problems } = await check(digest)
      assert.match(problems.join(), /names this key and is not by it/)
    })

    it('fails with the signatures of another image', async () => {
      const [image, other] = [addImage(registry), addImage(registry, 'other')]
      await signImage(repository, other, plain)
      const [from, to] = [other, image].map(
        ({ descriptor }) => `sha256-${hexOf(descriptor.digest)}.sig`,
      )
      const manifest = registry.manifest(NAME, from ?? '')
      assert.ok(manifest)
      registry.addManifest(NAME, to ?? '', manifest)
      const { good, problems } = await check(image.descriptor.digest)
      assert.deepEqual(good, [])
      assert.match(problems.join(), /by this key is of sha256:/)
    })

    it('fails with one byte changed anywhere', async () => {
      const image = addImage(registry)
      const { digest } = image.descriptor
      await signImage(repository, image, plain)
      const from = registry.requests.length
      assert.deepEqual((await check(digest)).problems, [])
      const read = registry.requests.slice(from).flatMap(({ method, url, status }) => {
        return method === 'GET' && status === 200 ? [url] : []
      })
      assert.ok(new Set(read).size >= 4)
      for (const url of new Set(read)) {
        for (const part of [0.1, 0.25, 0.4, 0.55, 0.6, 0.7, 0.8, 0.9]) {
          damage(registry, url, part)
          const outcome = await check(digest).catch((error: { code: string }) => error)
          const isCaught = 'code' in outcome || outcome.problems.length > 0
          assert.ok(isCaught, `${url} at ${part}`)
        }
      }
    })
  })
}

/** Changes a byte of what the registry answers, at a part of its length. */
function damage(registry: MemoryRegistry, url: string, part: number): void {
  registry.clearFaults()
  registry.fail({
    ...{ method: 'GET', path: new RegExp(`^${url}$`), times: 100 },
    action: {
      kind: 'edit',
      edit: (reply) => {
        const body = Buffer.from(reply.body ?? '')
        const at = Math.floor(body.length * part)
        body[at] = (body[at] ?? 0) ^ 1
        return { ...reply, body }
      },
    },
  })
}
