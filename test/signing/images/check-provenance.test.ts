import assert from 'node:assert/strict'
import { type Digest, digestOf, hexOf } from '#core'
import type { RegistryClient, Repository } from '#registry-client'
import { checkProvenance } from '../../../signing/images/check-provenance.ts'
import { MemoryRegistry } from '../../support/registry/index.ts'
import {
  addImage,
  addIndex,
  addManifest,
  clientOf,
  NAME,
  repositoryAt,
  type Stored,
} from './fixture.ts'

const V1 = 'https://slsa.dev/provenance/v1'
const V02 = 'https://slsa.dev/provenance/v0.2'
const BASE = { uri: 'pkg:docker/alpine@3.22', digest: { sha256: 'a'.repeat(64) } }
const PREDICATES = {
  [V1]: {
    buildDefinition: { resolvedDependencies: [BASE] },
    runDetails: { builder: { id: 'https://builder.example' } },
  },
  [V02]: { builder: { id: 'https://builder.example' }, materials: [BASE] },
}

describe('provenance of images', () => {
  let registry: MemoryRegistry
  let client: RegistryClient
  let repository: Repository
  let image: Stored
  beforeEach(async () => {
    registry = await MemoryRegistry.start()
    client = clientOf()
    repository = repositoryAt(client, registry.host)
    image = addImage(registry)
  })
  afterEach(async () => {
    await client.close()
    await registry.close()
  })

  interface Attached {
    readonly type?: keyof typeof PREDICATES
    readonly declared?: string
    /** What the statement says that it is about. */
    readonly about?: Digest
    /** What the index says that it is about. */
    readonly reference?: Digest
  }

  /** An index as BuildKit writes it. */
  function withProvenance(attached: Attached = {}): Stored {
    const { digest } = image.descriptor
    const { type = V1, declared = type, about = digest, reference = digest } = attached
    const statement = {
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: type,
      subject: [{ name: 'pkg:docker/app@1', digest: { sha256: hexOf(about) } }],
      predicate: PREDICATES[type],
    }
    const bytes = Buffer.from(JSON.stringify(statement))
    const layer = registry.addBlob(NAME, bytes, 'application/vnd.in-toto+json')
    const config = registry.addBlob(
      NAME,
      Buffer.from('{}'),
      'application/vnd.oci.image.config.v1+json',
    )
    const annotations = { 'in-toto.io/predicate-type': declared }
    const { descriptor } = addManifest(registry, { config, layers: [{ ...layer, annotations }] })
    return addIndex(registry, [
      { ...image.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
      {
        ...descriptor,
        platform: { os: 'unknown', architecture: 'unknown' },
        annotations: {
          'vnd.docker.reference.type': 'attestation-manifest',
          'vnd.docker.reference.digest': reference,
        },
      },
    ])
  }

  it('is read in both versions', async () => {
    for (const type of [V1, V02] as const) {
      const { found, problems } = await checkProvenance(repository, withProvenance({ type }))
      assert.deepEqual(problems, [])
      assert.deepEqual(found, [
        {
          image: image.descriptor.digest,
          predicateType: type,
          builder: 'https://builder.example',
          materials: [{ uri: BASE.uri, digests: BASE.digest }],
        },
      ])
    }
  })

  it('is nothing for an image without it', async () => {
    for (const root of [image, addIndex(registry, [image.descriptor])]) {
      assert.deepEqual(await checkProvenance(repository, root), { found: [], problems: [] })
    }
  })

  it('of another image, or of another kind than it is said to be, is a problem', async () => {
    const other = digestOf(Buffer.from('other'))
    const cases: readonly (readonly [Attached, RegExp])[] = [
      [{ about: other }, /is not of/],
      [{ reference: other }, /of no image of the index/],
      [{ declared: V02 }, new RegExp(`is a ${V1}, not a ${V02}`)],
    ]
    for (const [attached, problem] of cases) {
      const { found, problems } = await checkProvenance(repository, withProvenance(attached))
      assert.deepEqual(found, [])
      assert.match(problems.join(), problem)
    }
  })

  it('that was changed in the registry is an error', async () => {
    const root = withProvenance()
    registry.fail({
      ...{ method: 'GET', path: /\/blobs\//, times: 100 },
      action: {
        kind: 'edit',
        edit: (reply) => {
          const body = Buffer.from(reply.body ?? '')
          body[40] = (body[40] ?? 0) ^ 1
          return { ...reply, body }
        },
      },
    })
    await assert.rejects(checkProvenance(repository, root), { code: 'DIGEST_MISMATCH' })
  })
})
