import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { writeContext } from '../../e2e/support/context.ts'
import { mustBuild, stepsThat, tsbuild } from '../../e2e/support/tsbuild.ts'
import {
  type ActionsServer,
  type Azurite,
  type S3Server,
  startActionsServer,
  startAzurite,
  startS3Server,
} from '../../support/object-stores/index.ts'
import {
  busyboxBase,
  flipBit,
  type Outcome,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../support/peers/index.ts'
import { startWebServer } from '../../support/servers/index.ts'

describe('a cache in an object store, through the command line', () => {
  let directory: TemporaryDirectory
  let base: readonly string[]
  let s3: S3Server
  let azurite: Azurite
  let actions: ActionsServer

  before(async () => {
    directory = temporaryDirectory('object-stores')
    base = ['--build-context', `base=oci-layout://${await busyboxBase()}:latest`]
    s3 = await startS3Server()
    azurite = await startAzurite()
    await azurite.container('buildkit-cache')
    actions = await startActionsServer(azurite)
  })
  after(async () => {
    await actions?.[Symbol.asyncDispose]()
    await azurite?.[Symbol.asyncDispose]()
    await s3?.[Symbol.asyncDispose]()
    directory?.[Symbol.dispose]()
  })
  beforeEach(() => {
    s3.intercept = () => undefined
  })

  const start = (name: string, env: Readonly<Record<string, string>> = {}) => ({
    root: directory.file(`store-${name}`),
    env,
  })
  const bucket = (name: string): string =>
    `type=s3,bucket=${s3.bucket},region=eu-test-1,name=${name},endpoint_url=${s3.endpoint},use_path_style=true`
  const withKeys = (name: string, secret = s3.secretAccessKey): string =>
    `${bucket(name)},access_key_id=${s3.accessKeyId},secret_access_key=${secret}`
  const ran = (outcome: Outcome): readonly string[] => stepsThat('DONE', outcome)
  const warningsOf = ({ stderr }: Outcome): readonly string[] => stderr.match(/^ - .*$/gm) ?? []

  /** Two stages, of which the image has a part. */
  function application(name: string): string {
    return writeContext(directory.file(name), {
      Dockerfile: [
        'FROM base AS build',
        'COPY source /source',
        'RUN cat /proc/uptime /source > /made && head -c 200000 /dev/urandom > /waste',
        'FROM base',
        'COPY --from=build /made /made',
        'RUN cat /proc/uptime /made > /last',
        '',
      ].join('\n'),
      source: name,
    })
  }

  /** What a build has put into a folder. */
  async function built(
    args: readonly string[],
    name: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Outcome & { readonly last: string }> {
    const dest = directory.file(`out-${name}`)
    const outcome = await mustBuild([...base, '-o', dest, ...args], start(name, env))
    return { ...outcome, last: readFileSync(join(dest, 'last'), 'utf8') }
  }

  for (const [kind, cacheOf, env] of [
    [
      'S3',
      () => bucket('machines'),
      () => ({ AWS_ACCESS_KEY_ID: s3.accessKeyId, AWS_SECRET_ACCESS_KEY: s3.secretAccessKey }),
    ],
    [
      'Azure',
      () => `type=azblob,account_url=${azurite.accountUrl},secret_access_key=${azurite.accountKey}`,
      () => ({}),
    ],
    [
      'GitHub Actions',
      () => 'type=gha,scope=machines',
      () => ({ ACTIONS_RESULTS_URL: actions.url, ACTIONS_RUNTIME_TOKEN: actions.token }),
    ],
  ] as const) {
    it(`lets another machine build everything from it: ${kind}`, async () => {
      const id = kind.replaceAll(/\W/g, '')
      const context = application(`machines-${id}`)
      const value = cacheOf()
      const made = await built(['--cache-to', `${value},mode=max`, context], `${id}-a`, env())
      assert.equal(ran(made).length, 4)
      assert.deepEqual(warningsOf(made), [])
      const found = await built(['--cache-from', value, context], `${id}-b`, env())
      assert.deepEqual(ran(found), [])
      assert.deepEqual(warningsOf(found), [])
      assert.equal(found.last, made.last)
      for (const { stdout, stderr } of [made, found]) assertNoSecret(`${stdout}${stderr}`)
      for (const name of [`${id}-a`, `${id}-b`]) assertNoSecretIn(start(name).root)
    })
  }

  const secrets = (): readonly string[] => [
    ...[s3.accessKeyId, s3.secretAccessKey, encodeURIComponent(s3.secretAccessKey)],
    ...[azurite.accountKey, actions.token, 'sig='],
  ]

  function assertNoSecret(text: string): void {
    assert.ok(text.length > 0)
    for (const secret of secrets()) assert.ok(!text.includes(secret), `${secret} in ${text}`)
  }

  function assertNoSecretIn(folder: string): void {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    const paths = files.flatMap((one) => (one.isFile() ? [join(one.parentPath, one.name)] : []))
    assert.ok(paths.length > 3)
    for (const path of paths) {
      const bytes = readFileSync(path)
      for (const secret of secrets()) assert.ok(!bytes.includes(secret), `${secret} in ${path}`)
    }
  }

  it('takes what several machines send at the same time, and loses nothing of it', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `stage${index}`)
    const stages = names.map((name) => `FROM scratch AS ${name}\nCOPY ${name} /\n`)
    const copies = names.map((name) => `COPY --from=${name} /${name} /\n`).join('')
    const context = writeContext(directory.file('several'), {
      Dockerfile: `${stages.join('')}FROM scratch\n${copies}`,
      ...Object.fromEntries(names.map((name) => [name, name])),
    })
    const to = ['--cache-to', withKeys('several')]
    const all = names.map((name) =>
      mustBuild(['--target', name, ...to, context], start(`several-${name}`)),
    )
    await Promise.all(all)
    const from = ['--cache-from', withKeys('several')]
    const ninth = await mustBuild([...from, context], start('several-ninth'))
    const found = stepsThat('CACHED', ninth).filter((name) => !name.includes('--from'))
    assert.equal(found.length, 8, ninth.stderr)
    assert.deepEqual(warningsOf(ninth), [])
  })

  describe('that cannot be used', () => {
    let context: string
    before(async () => {
      const dockerfile = 'FROM base\nRUN cat /proc/uptime > /first\nCOPY source /last\n'
      context = writeContext(directory.file('refused'), { Dockerfile: dockerfile, source: 'last' })
      await built(['--cache-to', `${withKeys('refused')},mode=max`, context], 'refused')
    })

    /** Everything runs, and one warning says why. */
    async function refuses(from: string, reason: RegExp): Promise<void> {
      const name = `refused-${Math.random().toString(36).slice(2)}`
      const outcome = await built(['--cache-from', from, context], name)
      assert.equal(ran(outcome).length, 2)
      assert.match(warningsOf(outcome).join('\n'), reason)
      assert.equal(warningsOf(outcome).length, 1)
      assertNoSecret(outcome.stderr)
    }

    it('is a warning where the secret is wrong, and an error after the image for --cache-to', async () => {
      const wrong = withKeys('refused', 'another/Secret')
      const denied = /refused.*denied access \(SignatureDoesNotMatch/
      await refuses(wrong, denied)
      const args = ['-t', 'kept', '--cache-to', wrong, context]
      const outcome = await tsbuild([...base, ...args], start('refused'))
      assert.equal(outcome.status, 1)
      assert.match(outcome.stderr, /export the cache to s3:\/\/cache\/.*denied access/)
      assert.match((await tsbuild(['images'], start('refused'))).stdout, /kept/)
      const ignoring = ['--cache-to', `${wrong},ignore-error=true`, context]
      const ignored = await mustBuild([...base, ...ignoring], start('refused'))
      assert.match(ignored.stderr, /1 warning found/)
      for (const { stderr } of [outcome, ignored]) {
        assert.ok(!stderr.includes('another/Secret'))
        assertNoSecret(stderr)
      }
    })

    it('is a warning where there is no bucket, no container, or no service', async () => {
      const missing = withKeys('refused').replace(`bucket=${s3.bucket}`, 'bucket=nothing')
      await refuses(missing, /404 \(NoSuchBucket/)
      const account = `type=azblob,account_url=${azurite.accountUrl}`
      const container = `${account},secret_access_key=${azurite.accountKey},container=nothing`
      await refuses(container, /404 \(ContainerNotFound/)
      await refuses('type=gha', /no cache service of GitHub Actions.*ACTIONS_RESULTS_URL/)
      await refuses(`type=gha,url_v2=${actions.url},token=wrong`, /denied access \(unauthenticated/)
    })

    it('is a warning where its index is truncated, or a bit of a layer is another one', async () => {
      const index = s3.file('tsbuild/indexes/refused.tsbuild.json')
      const { manifests } = JSON.parse(readFileSync(index, 'utf8'))
      const part = readBlob(manifests[0].digest)
      for (const { digest } of JSON.parse(part).layers) flipBit(blobFile(digest), 100)
      const outcome = await built(['--cache-from', withKeys('refused'), context], 'refused-bit')
      assert.match(warningsOf(outcome).join('\n'), /has the digest/)
      assert.equal(outcome.last, 'last')
      assert.ok(ran(outcome).some((name) => name.includes('RUN')))
      truncateSync(index, 100)
      await refuses(withKeys('refused'), /refused.*cannot be read/)
    })

    it('gets no credentials for another host', async () => {
      await using other = await startWebServer((_, response) => response.end('{}'))
      s3.intercept = ({ url }) => ({ status: 307, location: `${other.origin}${url}` })
      await refuses(withKeys('refused'), /answered 307|cannot reach/)
      await using azure = await startWebServer(({ url }, response) => {
        response.writeHead(307, { location: `${other.origin}${url}` })
        response.end()
      })
      const account = `type=azblob,account_url=${azure.origin}/${azurite.accountName}`
      await refuses(`${account},secret_access_key=${azurite.accountKey}`, /answered 307/)
      await refuses(`type=gha,url_v2=${azure.origin}/,token=${actions.token}`, /answered 307/)
      assert.ok(azure.seen.length >= 2)
      assert.deepEqual(other.seen, [])
    })
  })

  function blobFile(digest: string): string {
    const file = s3.file(`tsbuild/blobs/${digest.replace(':', '-')}`)
    assert.ok(existsSync(file))
    return file
  }

  function readBlob(digest: string): string {
    return readFileSync(blobFile(digest), 'utf8')
  }

  it('is apart from what BuildKit keeps there', async () => {
    const theirs = s3.file('manifests/tsbuild')
    const context = application('apart')
    await built(['--cache-to', withKeys('tsbuild'), context], 'apart')
    assert.ok(!existsSync(theirs))
    const keys = s3.seen.filter(({ method }) => method === 'PUT').map(({ url }) => url)
    assert.ok(
      keys.every((url) => url.startsWith(`/${s3.bucket}/tsbuild/`)),
      keys.join('\n'),
    )
  })
})
