import assert from 'node:assert/strict'
import { parseCacheFrom, parseCacheTo } from '../../../buildkit/values/cache-values.ts'

describe('values of --cache-from', () => {
  it('name caches in registries, alone or several', () => {
    assert.deepEqual(parseCacheFrom(['host/app:cache', 'a,b:c']), [
      { type: 'registry', ref: 'host/app:cache' },
      { type: 'registry', ref: 'a' },
      { type: 'registry', ref: 'b:c' },
    ])
  })

  it('have a type and its options', () => {
    const values = [
      'type=registry,ref=host/app,registry.insecure=true',
      'type=local,src=folder,tag=main,verify=key.pub',
      '"type=local","src=a,b",digest=sha256:x',
    ]
    assert.deepEqual(parseCacheFrom(values), [
      { type: 'registry', ref: 'host/app', insecure: true },
      { type: 'local', src: 'folder', tag: 'main', verify: 'key.pub' },
      { type: 'local', src: 'a,b', digest: 'sha256:x' },
    ])
  })

  for (const [value, message] of [
    ['', '--cache-from must not be empty'],
    ['ref=x', '--cache-from "ref=x" has no type'],
    ['type=registry', 'a cache of type registry has no ref'],
    ['type=local,dest=x', 'unknown option "dest" of --cache-from'],
    ['type=regitsry,ref=x', 'unknown cache type "regitsry"'],
    ['type=inline', 'an inline cache is read from its image'],
    [
      'type=registry,ref=x,registry.insecure=maybe',
      'invalid value "maybe" for the cache option registry.insecure',
    ],
    ['type=registry,x', 'invalid --cache-from "type=registry,x": "x" is not key=value'],
  ] as const) {
    it(`are refused: ${value}`, () => {
      assert.throws(() => parseCacheFrom([value]), { code: 'USAGE', message })
    })
  }

  it('name caches in object stores, one for each name', () => {
    const values = [
      'type=s3,bucket=b,region=r,prefix=p/,name=main;other,endpoint_url=http://h:1,use_path_style=true,retry_mode=adaptive,retry_max_attempts=5,verify=k',
      'type=s3,bucket=b,access_key_id=i,secret_access_key=s,session_token=t,blobs_prefix=x/,manifests_prefix=y/,disable_accept_encoding=true',
      'type=azblob,account_url=https://a.blob.core.windows.net,container=c,name=n,secret_access_key=s',
      'type=azblob,account_name=a,prefix=p/',
      'type=gha,scope=s,url_v2=https://h/,token=t,version=2,timeout=1m30s',
    ]
    const s3 = {
      ...{ type: 's3', bucket: 'b', region: 'r', prefix: 'p/', endpointUrl: 'http://h:1' },
      ...{ usePathStyle: true, retryMode: 'adaptive', retryMaxAttempts: 5, verify: 'k' },
    }
    assert.deepEqual(parseCacheFrom(values), [
      { ...s3, name: 'main' },
      { ...s3, name: 'other' },
      {
        ...{ type: 's3', bucket: 'b', accessKeyId: 'i', secretAccessKey: 's', sessionToken: 't' },
        ...{ blobsPrefix: 'x/', manifestsPrefix: 'y/' },
      },
      {
        ...{ type: 'azblob', accountUrl: 'https://a.blob.core.windows.net', container: 'c' },
        ...{ name: 'n', secretAccessKey: 's' },
      },
      { type: 'azblob', accountName: 'a', prefix: 'p/' },
      { type: 'gha', scope: 's', urlV2: 'https://h/', token: 't', timeout: 90_000 },
    ])
  })

  for (const [value, code, message] of [
    ['type=s3,region=r', 'USAGE', 'a cache of type s3 has no bucket'],
    [
      'type=s3,bucket=b,touch_refresh=1h',
      'USAGE',
      'unknown option "touch_refresh" of --cache-from',
    ],
    ['type=s3,bucket=b,retry_mode=never', 'USAGE', 'invalid retry_mode "never" of a cache'],
    ['type=s3,bucket=b,retry_max_attempts=x', 'USAGE', 'invalid retry_max_attempts "x" of a cache'],
    ['type=gha,version=1', 'UNSUPPORTED', 'version=1 of type=gha is not supported'],
    ['type=gha,version=3', 'USAGE', 'invalid version "3" of a cache'],
    ['type=gha,url=https://h/', 'UNSUPPORTED', 'url of type=gha is not supported'],
    ['type=gha,timeout=soon', 'USAGE', 'invalid timeout "soon" of a cache'],
  ] as const) {
    it(`are refused: ${value}`, () => {
      assert.throws(() => parseCacheFrom([value]), { code, message })
    })
  }

  it('are shown without what is secret', () => {
    for (const value of [
      'type=s3,access_key_id=SECRET,secret_access_key=SECRET,session_token=SECRET,oops',
      'secret_access_key=SECRET,account_url=https://h/?sig=SECRET',
      'type=s3,"secret_access_key=SECRET',
      'type=gha,token=SECRET,bucket',
    ]) {
      assert.throws(
        () => parseCacheFrom([value]),
        ({ message, hint }: Error & { hint: string }) => !`${message} ${hint}`.includes('SECRET'),
      )
    }
  })
})

describe('values of --cache-to', () => {
  it('say where results go, and how', () => {
    const values = [
      'host/app:cache',
      'type=registry,ref=r,mode=max,compression=zstd,compression-level=19,force-compression=1,ignore-error=true',
      'type=local,dest=folder,mode=min,mounts=true,sign=key,image-manifest=true,oci-mediatypes=true',
      'type=inline',
      'type=s3,bucket=b,name=n,upload_parallelism=8,touch_refresh=12h,mode=max,ignore-error=true',
      'type=azblob,account_name=a,mode=max',
      'type=gha,mode=max',
    ]
    assert.deepEqual(parseCacheTo(values), [
      { type: 'registry', ref: 'host/app:cache' },
      {
        ...{ type: 'registry', ref: 'r', mode: 'max', compression: 'zstd' },
        ...{ compressionLevel: 19, forceCompression: true, ignoreError: true },
      },
      { type: 'local', dest: 'folder', mode: 'min', mounts: true, sign: 'key' },
      { type: 'inline' },
      {
        ...{ type: 's3', bucket: 'b', name: 'n', uploadParallelism: 8, touchRefresh: 43_200_000 },
        ...{ mode: 'max', ignoreError: true },
      },
      { type: 'azblob', accountName: 'a', mode: 'max' },
      { type: 'gha', mode: 'max' },
    ])
  })

  for (const [value, message] of [
    ['type=local', 'a cache of type local has no dest'],
    ['type=registry,ref=x,mode=most', 'invalid mode "most" of a cache'],
    ['type=registry,ref=x,compression=xz', 'invalid compression "xz" of a cache'],
    ['type=registry,ref=x,compression-level=best', 'invalid compression-level "best" of a cache'],
    ['type=inline,mode=max', 'unknown option "mode" of --cache-to'],
  ] as const) {
    it(`are refused: ${value}`, () => {
      assert.throws(() => parseCacheTo([value]), { code: 'USAGE', message })
    })
  }

  it('for media types of docker are refused', () => {
    const value = 'type=registry,ref=x,oci-mediatypes=false'
    assert.throws(() => parseCacheTo([value]), { code: 'UNSUPPORTED' })
  })
})
