import assert from 'node:assert/strict'
import { parseCacheFrom, parseCacheTo } from '../../../cli/arguments/cache-values.ts'

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
    ['type=registry', 'the cache "type=registry" has no ref'],
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

  it('of types that are to come are refused as such', () => {
    for (const type of ['gha', 's3', 'azblob']) {
      const message = `--cache-from type=${type} is not supported yet`
      assert.throws(() => parseCacheFrom([`type=${type}`]), { code: 'UNSUPPORTED', message })
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
    ]
    assert.deepEqual(parseCacheTo(values), [
      { type: 'registry', ref: 'host/app:cache' },
      {
        ...{ type: 'registry', ref: 'r', mode: 'max', compression: 'zstd' },
        ...{ compressionLevel: 19, forceCompression: true, ignoreError: true },
      },
      { type: 'local', dest: 'folder', mode: 'min', mounts: true, sign: 'key' },
      { type: 'inline' },
    ])
  })

  for (const [value, message] of [
    ['type=local', 'the cache "type=local" has no dest'],
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
