import assert from 'node:assert/strict'
import { resolveObjectPlace } from '../../../builder/options/object-caches.ts'

type Options = Parameters<typeof resolveObjectPlace>[0]

describe('places of caches in object stores', () => {
  it('of S3 have keys under one prefix, and apart where others may have blobs', () => {
    const place = resolveObjectPlace({ type: 's3', bucket: 'b', prefix: 'p/', name: 'n' }, {})
    assert.deepEqual(place, {
      ...{ kind: 's3', bucket: 'b', prefix: 'p/', name: 'n', usePathStyle: false },
      ...{ touchRefresh: 86_400_000, uploadParallelism: 4 },
      keys: {
        indexes: 'p/tsbuild/indexes/',
        index: 'p/tsbuild/indexes/n.tsbuild.json',
        blobs: 'p/tsbuild/blobs/',
        tended: 'p/tsbuild/tended',
      },
    })
    const own = { blobsPrefix: 'x/', manifestsPrefix: 'y/' }
    const shared = resolveObjectPlace({ type: 's3', bucket: 'b', ...own }, {})
    assert.ok(shared.kind === 's3')
    const { index, blobs, tended } = shared.keys
    assert.deepEqual([index, blobs, tended], ['y/tsbuild.tsbuild.json', 'x/', undefined])
  })

  it('of Azure have an account by its name, or in a URL, also of an emulator', () => {
    const cases: readonly (readonly [object, string, string])[] = [
      [{ accountName: 'a' }, 'https://a.blob.core.windows.net', 'a'],
      [{ accountUrl: 'https://b.c.net?sig=x' }, 'https://b.c.net?sig=x', 'b'],
      [{ accountUrl: 'http://127.0.0.1:10000/dev' }, 'http://127.0.0.1:10000/dev', 'dev'],
    ]
    for (const [options, url, account] of cases) {
      const place = resolveObjectPlace({ type: 'azblob', ...options }, {})
      assert.ok(place.kind === 'azblob')
      assert.equal(place.accountUrl, url)
      assert.equal(place.accountName, account)
      assert.equal(place.container, 'buildkit-cache')
    }
  })

  it('of GitHub Actions come from the environment, or from nowhere yet', () => {
    const env = { ACTIONS_RESULTS_URL: 'https://h/', ACTIONS_RUNTIME_TOKEN: 't' }
    const rest = { kind: 'gha', scope: 'tsbuild', timeout: 600_000 }
    const found = resolveObjectPlace({ type: 'gha' }, env)
    assert.deepEqual(found, { ...rest, url: 'https://h/', token: 't' })
    const given = { token: 'mine', scope: 's', timeout: 5 }
    const place = resolveObjectPlace({ type: 'gha', urlV2: 'http://other', ...given }, env)
    assert.deepEqual(place, { kind: 'gha', url: 'http://other', ...given })
    const nothing = resolveObjectPlace({ type: 'gha' }, { ACTIONS_RESULTS_URL: '' })
    assert.deepEqual(nothing, { ...rest, url: undefined, token: undefined })
  })

  const s3 = { type: 's3', bucket: 'b' } as const
  const mistakes: readonly (readonly [Options, RegExp])[] = [
    [{ ...s3, accessKeyId: 'SECRET' }, /one of access_key_id and secret_access_key/],
    [{ ...s3, sessionToken: 'SECRET' }, /session_token and no access_key_id/],
    [{ ...s3, endpointUrl: 'SECRET' }, /invalid endpoint_url/],
    [{ ...s3, touchRefresh: 49 * 3_600_000 }, /touch_refresh of a cache is too long/],
    [{ ...s3, uploadParallelism: 0 }, /invalid upload_parallelism/],
    [{ ...s3, retryMaxAttempts: 0 }, /invalid retry_max_attempts/],
    [{ type: 'azblob' }, /no account_url/],
    [{ type: 'azblob', accountUrl: 'ftp://SECRET' }, /invalid account_url/],
    [{ type: 'gha', urlV2: 'file:///SECRET' }, /invalid url_v2/],
  ]
  for (const [options, message] of mistakes) {
    it(`are refused: ${message.source}`, () => {
      assert.throws(
        () => resolveObjectPlace(options, {}),
        (error: Error & { code: string; hint: string }) => {
          assert.equal(error.code, 'USAGE')
          assert.match(error.message, message)
          return !`${error.message} ${error.hint}`.includes('SECRET')
        },
      )
    })
  }
})
