import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleFromJSON } from '@sigstore/bundle'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import {
  busyboxBase,
  capture,
  copyImage,
  type Registry,
  run,
  startRegistry,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { writeContext } from '../support/context.ts'
import { mustBuild, type Start, tsbuild } from '../support/tsbuild.ts'
import { rawManifest } from './skopeo.ts'

const PASSWORD = 'a long password'

describe('tsbuild sign and verify', () => {
  let directory: TemporaryDirectory
  let registry: Registry
  let key = ''
  let context = ''
  /** Signed. */
  let image = ''
  /** Neither signed nor reproducible. */
  let plain = ''
  const start = (env: Readonly<Record<string, string>> = {}): Start => ({
    root: directory.file('store'),
    env: { COSIGN_PASSWORD: PASSWORD, ...env },
  })
  before(async () => {
    directory = temporaryDirectory('sign')
    registry = await startRegistry()
    key = directory.file('team')
    const base = await busyboxBase()
    context = writeContext(directory.file('context'), {
      Dockerfile: `FROM oci-layout://${base}\nARG WORD=one\nRUN echo $WORD > /word\nCOPY file /file\n`,
      file: 'content\n',
    })
    await mustBuild(['sign', '--generate-key', key], start())
    image = `${registry.host}/app:1`
    plain = `${registry.host}/unsigned:1`
    const flags = ['--reproducible', '--push', '--sign', `key=${key}.key`]
    await mustBuild([...flags, '-t', image, context], start())
    await mustBuild(['--push', '-t', plain, context], start())
  })
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })

  const verify = (image: string, ...flags: readonly string[]) =>
    tsbuild(['verify', '--progress=quiet', ...flags, image], start())

  /** A blob of a signature, by the tag of its manifest and the position in that. */
  const blobsOf = async (image: string, tagOrDigest: string) => {
    const [name] = image.split(':1')
    const target = directory.file(`blobs-${tagOrDigest.slice(7, 20)}`)
    const separator = tagOrDigest.startsWith('sha256:') ? '@' : ':'
    await copyImage(`docker://${name}${separator}${tagOrDigest}`, `dir:${target}`)
    const { document } = await rawManifest(`dir:${target}`)
    return (document.layers ?? []).map((layer) => ({
      layer: layer as { digest: string; annotations?: Record<string, string> },
      bytes: readFileSync(join(target, layer.digest.slice(7))),
    }))
  }

  it('makes keys that only their owner reads, and never over others', async () => {
    assert.equal(statSync(`${key}.key`).mode & 0o777, 0o600)
    const kept = readFileSync(`${key}.key`)
    const { status, stderr } = await tsbuild(['sign', '--generate-key', key], start())
    assert.equal(status, 1)
    assert.match(stderr, /team\.key is there already/)
    assert.deepEqual(readFileSync(`${key}.key`), kept)
    assert.deepEqual(
      readdirSync(directory.path).filter((name) => name.includes('team')),
      ['team.key', 'team.pub'],
    )
  })

  it('signs what it pushes so that openssl checks the payload, and sigstore the bundle', async () => {
    const { digest } = await rawManifest(`docker://${image}`)
    const tag = digest.replace(':', '-')
    const [signed] = await blobsOf(image, `${tag}.sig`)
    assert.ok(signed)
    const [payload, signature] = [directory.file('payload'), directory.file('signature')]
    writeFileSync(payload, signed.bytes)
    const base64 = signed.layer.annotations?.['dev.cosignproject.cosign/signature'] ?? ''
    writeFileSync(signature, Buffer.from(base64, 'base64'))
    const openssl = ['dgst', '-sha256', '-verify', `${key}.pub`, '-signature', signature]
    await run('openssl', [...openssl, payload])
    const flipped = Buffer.from(signed.bytes)
    flipped[100] = (flipped[100] ?? 0) ^ 1
    writeFileSync(payload, flipped)
    assert.notEqual((await capture('openssl', [...openssl, payload])).status, 0)
    assert.match(signed.bytes.toString(), new RegExp(`"docker-manifest-digest":"${digest}"`))

    const list = await rawManifest(`docker://${image.replace(':1', `:${tag}`)}`)
    const referrers = list.document.manifests as { digest: string; artifactType: string }[]
    const bundle = referrers.find(({ artifactType }) => artifactType.includes('bundle'))
    const [bundled] = await blobsOf(image, bundle?.digest ?? '')
    const entity = bundleFromJSON(JSON.parse(bundled?.bytes.toString() ?? ''))
    sigstoreVerifier(readFileSync(`${key}.pub`, 'utf8')).verify(toSignedEntity(entity))
  })

  it('puts the signature there before the name', async () => {
    const lines = readFileSync(registry.log, 'utf8').split('\n')
    const at = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line))
    const signature = at(/PUT \/v2\/app\/manifests\/sha256-[0-9a-f]+\.sig/)
    const name = at(/PUT \/v2\/app\/manifests\/1[" ]/)
    assert.ok(signature >= 0 && name > signature, `${signature} ${name}`)
  })

  it('verifies what is signed, and fails for another key and what is not', async () => {
    const good = await verify(image, '--key', `${key}.pub`)
    assert.equal(good.status, 0, good.stderr)
    assert.match(good.stdout, /signature +good: 2 by this key/)
    const other = directory.file('other')
    await mustBuild(['sign', '--generate-key', other], start())
    const wrong = await verify(image, '--key', `${other}.pub`)
    assert.equal(wrong.status, 1)
    assert.match(wrong.stdout, /none of its 2 signatures is by this key/)
    assert.equal((await verify(plain, '--key', `${key}.pub`)).status, 1)
    assert.equal((await verify(plain)).status, 1)
    await mustBuild(['sign', '--key', `${key}.key`, '-a', 'env=test', plain], start())
    const json = await verify(plain, '--key', `${key}.pub`, '-a', 'env=test', '--format=json')
    assert.equal(json.status, 0)
    const { isVerified, signatures } = JSON.parse(json.stdout) as {
      isVerified: boolean
      signatures: { good: object[] }
    }
    assert.deepEqual([isVerified, signatures.good.length], [true, 2])
  })

  it('stays signed where it is copied with its referrers', async () => {
    const to = `${registry.host}/elsewhere:1`
    await mustBuild(['copy', '--referrers', image, to], start())
    const { status, stdout } = await verify(to, '--key', `${key}.pub`)
    assert.equal(status, 0)
    assert.match(stdout, /good: 2 by this key/)
    const { digest } = await rawManifest(`docker://${to}`)
    const tag = `${digest.replace(':', '-')}.sig`
    assert.equal((await blobsOf(to, tag)).length, 1)
  })

  it('builds an image again, bit for bit, and says what differs', async () => {
    const same = await verify(image, '--key', `${key}.pub`, '--rebuild', context)
    assert.equal(same.status, 0, same.stdout + same.stderr)
    assert.match(same.stdout, /rebuilt +linux\/\w+: the same, bit for bit/)
    const other = await verify(image, '--rebuild', context, '--build-arg', 'WORD=two')
    assert.equal(other.status, 1)
    assert.match(other.stdout, /layer \d+ \(.*RUN .*\) differs: \/word \(content\)/)
    assert.doesNotMatch(other.stdout, /\/file|rootfs|created is/)
    const timed = await verify(plain, '--rebuild', context)
    assert.equal(timed.status, 1)
    assert.equal(timed.stdout.match(/without --reproducible/g)?.length, 1)
    assert.deepEqual(readdirSync(join(start().root, 'tmp')), [])
  })

  it('builds on the bases that its provenance names, whatever their names mean by now', async () => {
    const base = `${registry.host}/base:1`
    const files = (word: string) =>
      writeContext(directory.file(`base-${word}`), {
        Dockerfile: `FROM scratch\nLABEL is=${word}\nCOPY Dockerfile /\n`,
      })
    await mustBuild(['--push', '-t', base, files('old')], start())
    const app = writeContext(directory.file('app'), {
      Dockerfile: `FROM ${base}\nCOPY Dockerfile /app\n`,
    })
    const [bare, proven] = ['bare', 'proven'].map((name) => `${registry.host}/${name}:1`)
    assert.ok(bare && proven)
    const flags = ['--reproducible', '--pull', '--push', '--sign', `key=${key}.key`]
    await mustBuild([...flags, '-t', bare, app], start())
    await mustBuild([...flags, '--provenance=mode=max', '-t', proven, app], start())
    await mustBuild(['--push', '-t', base, files('new')], start())
    const moved = await verify(bare, '--rebuild', app)
    assert.equal(moved.status, 1)
    assert.match(moved.stdout, /config\.config\.Labels\.is is "old", in the rebuilt one "new"/)
    const pinned = await verify(proven, '--key', `${key}.pub`, '--rebuild', app)
    assert.equal(pinned.status, 0, pinned.stdout + pinned.stderr)
    assert.match(
      pinned.stdout,
      /provenance +https:\/\/slsa\.dev\/provenance\/v1.*, 1 material, of sha256/,
    )
    // Who pulls for one platform, and who reads the provenance, checks these alone.
    const { digest, document } = await rawManifest(`docker://${proven}`)
    const listed = (document.manifests ?? []).map((one) => one.digest)
    assert.equal(listed.length, 2)
    for (const one of [digest, ...listed]) {
      const { status } = await verify(`${registry.host}/proven@${one}`, '--key', `${key}.pub`)
      assert.equal(status, 0)
    }
  })

  it('opens the key before it builds, and needs a registry to sign for', async () => {
    const build = (env: Record<string, string>, ...flags: string[]) =>
      tsbuild(['-t', `${registry.host}/no:1`, ...flags, context], start(env))
    const wrong = await build({ COSIGN_PASSWORD: 'wrong' }, '--push', '--sign', `key=${key}.key`)
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /wrong password/)
    assert.doesNotMatch(wrong.stderr, /COPY file/)
    const nowhere = await build({}, '--sign', `key=${key}.key`)
    assert.equal(nowhere.status, 1)
    assert.match(nowhere.stderr, /add --push/)
    const missing = await build({}, '--push', '--sign', 'key=env://NO_SUCH_KEY')
    assert.match(missing.stderr, /NO_SUCH_KEY is not set/)
  })

  it('leaves nothing of the key in the store, the registry or what it prints', async () => {
    const secret = `${registry.host}/secret:1`
    const pem = readFileSync(`${key}.key`, 'utf8')
    const flags = ['--push', '--sign', 'key=env://SIGNING_KEY', '--progress=rawjson', '--debug']
    const { stdout, stderr } = await mustBuild(
      [...flags, '-t', secret, context],
      start({ SIGNING_KEY: pem }),
    )
    const secrets = [PASSWORD, ...pem.split('\n').slice(1, 4)]
    for (const text of secrets) {
      assert.ok(!(stdout + stderr).includes(text))
      for (const place of [start().root, registry.storage, registry.log]) {
        const found = await capture('grep', ['-rlF', '-e', text, place])
        assert.equal(found.stdout, '')
      }
    }
    assert.equal((await verify(secret, '--key', `${key}.pub`)).status, 0)
  })
})

/** Trusts a key, and needs no log. */
function sigstoreVerifier(pem: string): Verifier {
  const root = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    ...{ tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [] },
  }
  const publicKey = createPublicKey(pem)
  const material = toTrustMaterial(root, () => ({ publicKey, validFor: () => true }))
  const none = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }
  return new Verifier(material, none)
}
