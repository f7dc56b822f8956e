import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type OutputRequest, parseOutput } from '../../../buildkit/values/output-value.ts'
import { splitCsv } from '../../../buildkit/values/split-csv.ts'

const READ: readonly (readonly [string, OutputRequest['outputs'], (readonly string[])?])[] = [
  ['out', [{ type: 'local', dest: 'out' }]],
  ['./a b', [{ type: 'local', dest: './a b' }]],
  ['-', [{ type: 'tar', dest: '-' }]],
  ['type=store', [{ type: 'store' }]],
  ['type=image', [{ type: 'store' }]],
  ['type=image,name=a/b:1,push=true', [{ type: 'store' }, { type: 'registry' }], ['a/b:1']],
  ['type=registry,compression=zstd', [{ type: 'registry', compression: 'zstd' }]],
  [
    'type=oci,compression=zstd:chunked,compression-level=9',
    [{ type: 'oci', dest: '-', compression: 'zstd:chunked', compressionLevel: 9 }],
  ],
  ['type=image,"name=a,b"', [{ type: 'store' }], ['a', 'b']],
  ['type=oci', [{ type: 'oci', dest: '-' }]],
  ['TYPE=oci,Dest=x.tar', [{ type: 'oci', dest: 'x.tar' }]],
  ['type=oci,dest=layout,tar=false', [{ type: 'oci', dest: 'layout', tar: false }]],
  ['type=docker,dest=-', [{ type: 'docker', dest: '-' }]],
  ['type=local,dest=a,mode=copy', [{ type: 'local', dest: 'a' }]],
  ['type=local,dest=a,mode=delete', [{ type: 'local', dest: 'a', mode: 'delete' }]],
  ['type=image,oci-mediatypes=true,unpack=false', [{ type: 'store' }]],
  ['type=tar,dest=a=b', [{ type: 'tar', dest: 'a=b' }]],
  ['type=local,"dest=a,b"', [{ type: 'local', dest: 'a,b' }]],
  ['type=tar,"dest=a""b"', [{ type: 'tar', dest: 'a"b' }]],
  ['type=docker', [{ type: 'load' }]],
  ['type=docker,engine=podman', [{ type: 'load', engine: 'podman' }]],
  ['type=cacheonly', []],
  ['type=image,oci-mediatypes=false', [{ type: 'store', ociMediaTypes: false }]],
  ['type=image,store=false,push=true', [{ type: 'registry' }]],
  ['type=store,name-canonical=true', [{ type: 'store', canonicalNames: true }]],
  [
    'type=store,dangling-name-prefix=none',
    [{ type: 'store', danglingName: { prefix: 'none', onlyWithoutName: false } }],
  ],
  ['type=local,dest=x,platform-split=false', [{ type: 'local', dest: 'x', platformSplit: false }]],
  [
    'type=store,annotation.org.Name=a,annotation-manifest-descriptor[linux/arm64].b=c',
    [
      {
        type: 'store',
        annotations: [
          { level: 'manifest', key: 'org.Name', value: 'a' },
          { level: 'manifest-descriptor', platform: 'linux/arm64', key: 'b', value: 'c' },
        ],
      },
    ],
  ],
]

const REFUSED: readonly (readonly [string, string, string?])[] = [
  ['', 'an --output must not be empty'],
  ['dest=x', 'output "dest=x" has no type'],
  ['type=ocl', 'unknown output type "ocl"', 'did you mean type=oci?'],
  [
    'type=xyzzy',
    'unknown output type "xyzzy"',
    'write type=T,key=value…; T is one of store, image, registry, oci, docker, local, tar, cacheonly',
  ],
  ['type=local', 'output type=local needs a dest', 'write --output type=local,dest=PATH'],
  ['type=local,dest=x,mode=move', 'invalid local exporter mode "move"', 'choose copy or delete'],
  ['type=oci,constructor=1', 'unknown output option "constructor"'],
  [
    'type=oci,foo=1',
    'unknown output option "foo"',
    'type=oci takes dest, name, tar, compression, compression-level, force-compression, oci-artifact, oci-mediatypes, rewrite-timestamp',
  ],
  ['type=oci,tar', 'invalid output "type=oci,tar": "tar" is not key=value'],
  ['type=oci,=x', 'invalid output "type=oci,=x": "=x" is not key=value'],
  ['type=oci,tar=yes', 'invalid value "yes" for the output option tar', 'write true or false'],
  [
    'type=oci,compression=lz4',
    'unknown compression "lz4"',
    'choose one of uncompressed, gzip, zstd, zstd:chunked',
  ],
  ['type=docker,engine=lxc', 'unknown engine "lxc" in engine='],
  ['type=oci,compression-level=best', 'invalid compression-level "best"'],
  ['type=store,annotation.=x', 'invalid annotation "annotation.=x"'],
  ['type=store,annotation-layer.a=x', 'invalid annotation "annotation-layer.a=x"'],
  [
    'type=image,unpack=true,rewrite-timestamp=true',
    'exporter option "rewrite-timestamp" conflicts with "unpack"',
  ],
  ['type=oci,"dest=x', 'invalid quotes in type=oci,"dest=x', 'write "key=a,b" to quote'],
  ['type=oci,de"st=x', 'invalid quotes in type=oci,de"st=x', 'write "key=a,b" to quote'],
]

describe('--output', () => {
  for (const [value, outputs, names = []] of READ) {
    it(`reads ${value}`, () => {
      assert.deepEqual(parseOutput(value), { outputs, names })
    })
  }

  for (const [value, message, hint] of REFUSED) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      const expected = { code: 'USAGE', message, ...(hint === undefined ? {} : { hint }) }
      assert.throws(() => parseOutput(value), expected)
    })
  }

  it('splits what CSV quoting has joined', () => {
    const fields = fc.array(fc.string(), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fields, (record) => {
        const text = record.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')
        assert.deepEqual(splitCsv(text), record)
      }),
      { numRuns: 200 },
    )
  })
})
