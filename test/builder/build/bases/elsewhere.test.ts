import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Output, pushFromStore } from '#builder'
import { elsewhereOf, markElsewhere, openStore } from '#cache'
import { type Descriptor, hexOf, parseManifestOrIndex } from '#core'
import { MemoryRegistry } from '../../../support/registry/index.ts'
import {
  type ForeignLayer,
  foreignImage,
  foreignLayer,
  publish,
  publishIndex,
} from '../support/images.ts'
import { Workplace } from '../support/workplace.ts'

const PUSH: readonly Output[] = [{ type: 'store' }, { type: 'registry' }]

describe('layers of an image of the store that are in a registry', () => {
  let at: Workplace
  let layer: ForeignLayer
  beforeEach(async () => {
    at = await Workplace.open()
    layer = await foreignLayer({ x: 'in the base' })
    publish(at.registry, 'base', foreignImage([layer]))
  })
  afterEach(() => at[Symbol.asyncDispose]())

  const push = (base: string, name: string) =>
    at.build([`FROM ${at.at(base)}`, 'LABEL a=b'], { tags: [at.at(name)], outputs: PUSH })
  const isHere = ({ descriptor }: ForeignLayer): boolean =>
    existsSync(join(at.path('store'), 'blobs/sha256', hexOf(descriptor.digest)))
  const fetches = (log: readonly string[]): readonly string[] =>
    log.filter((line) => line.startsWith('GET') && line.includes(layer.descriptor.digest))
  /** Writes the files of an image, for which its layers are needed. */
  async function fileOf(name: string): Promise<string> {
    const dest = at.path(`files-${name}`)
    const outputs: readonly Output[] = [{ type: 'local', dest }]
    await at.build([`FROM ${at.at(name)}`, 'LABEL c=d'], { outputs })
    return readFileSync(join(dest, 'x'), 'utf8')
  }
  /** The layers as the store's manifest lists them. */
  async function listed(name: string): Promise<readonly Descriptor[]> {
    await using store = openStore(at.path('store'))
    const named = store.images.get(`${at.at(name)}:latest`)
    assert.ok(named)
    const bytes = readFileSync(store.blobs.path(named.descriptor.digest))
    const parsed = parseManifestOrIndex(bytes, named.descriptor.mediaType)
    return parsed.kind === 'manifest' ? parsed.manifest.layers : []
  }

  it('are said to be there, and are left there by what is built on them', async () => {
    await push('base', 'one')
    const [left] = await listed('one')
    assert.ok(left)
    assert.deepEqual(elsewhereOf(left), { registry: at.registry.host, repository: 'base' })
    await push('one', 'two')
    assert.deepEqual(fetches(at.takeLog()), [])
    assert.equal(isHere(layer), false)
    assert.deepEqual((await listed('two')).map(elsewhereOf), [elsewhereOf(left)])
    assert.equal(await fileOf('two'), 'in the base')
    assert.equal(isHere(layer), true)
  })

  it('say nothing of it in a registry', async () => {
    await push('base', 'app')
    const stored = at.registry.manifest('app', 'latest')
    assert.ok(stored)
    assert.doesNotMatch(stored.bytes.toString(), /elsewhere/)
  })

  it('are in the store when the image is not pushed, or goes to another registry', async () => {
    await using other = await MemoryRegistry.start()
    await at.build([`FROM ${at.at('base')}`, 'LABEL a=b'], {
      tags: [`${other.host}/app`],
      outputs: PUSH,
    })
    assert.equal(isHere(layer), true)
    await at.build([`FROM ${at.at('base')}`, 'LABEL a=b'], { tags: [at.at('kept')] })
    assert.deepEqual((await listed('kept')).map(elsewhereOf), [undefined])
  })

  it('may be plain', async () => {
    const plain = await foreignLayer({ x: 'plain' }, 'none')
    publish(at.registry, 'plain', foreignImage([plain]))
    await push('plain', 'app')
    assert.equal(isHere(plain), false)
    await pushFromStore({ name: at.at('app'), root: at.path('store') })
    assert.equal(await fileOf('app'), 'plain')
  })

  it('may be those of several platforms', async () => {
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }))
    const images = platforms.map((platform) => foreignImage([layer], { platform }))
    publishIndex(at.registry, 'several', { images })
    const tags = [at.at('app')]
    const text = [`FROM ${at.at('several')}`, 'LABEL a=b']
    await at.build(text, { tags, outputs: PUSH, platform: ['linux/amd64', 'linux/arm64'] })
    await pushFromStore({ name: at.at('app'), root: at.path('store') })
    assert.deepEqual(fetches(at.takeLog()), [])
    assert.equal(await fileOf('app'), 'in the base')
  })

  it('are not where an image from outside says: it may name any host', async () => {
    await using other = await MemoryRegistry.start()
    other.addBlob('evil', layer.bytes)
    const place = { registry: other.host, repository: 'evil' }
    const lying = { ...layer, descriptor: markElsewhere(layer.descriptor, place) }
    publish(at.registry, 'liar', foreignImage([lying]))
    await push('liar', 'app')
    const [left] = await listed('app')
    assert.ok(left)
    assert.deepEqual(elsewhereOf(left), { registry: at.registry.host, repository: 'liar' })
    assert.equal(await fileOf('app'), 'in the base')
    await at.build([`FROM ${at.at('liar')}`, 'LABEL a=b'], { tags: [at.at('kept')] })
    assert.deepEqual((await listed('kept')).map(elsewhereOf), [undefined])
    assert.deepEqual(other.requests, [])
  })

  it('are verified when they are fetched', async () => {
    await push('base', 'app')
    at.registry.fail({
      method: 'GET',
      path: new RegExp(`/blobs/${layer.descriptor.digest}`),
      times: 99,
      action: {
        kind: 'edit',
        edit: (reply) => ({ ...reply, body: Buffer.alloc(layer.bytes.length) }),
      },
    })
    await assert.rejects(fileOf('app'), { code: 'DIGEST_MISMATCH' })
  })

  it('are an error that says so when no repository has them', async () => {
    await push('base', 'app')
    at.registry.fail({
      method: 'GET',
      path: new RegExp(`/blobs/${layer.descriptor.digest}`),
      times: 99,
      action: { kind: 'reply', reply: { status: 404 } },
    })
    await assert.rejects(fileOf('app'), (cause: Error) => {
      assert.match(cause.message + String(cause.cause), /was left in .*\/base, which does not have/)
      return true
    })
  })
})
