import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { compress, decompress } from '#builder/layer'
import {
  type Annotations,
  crc64,
  filesOf,
  reassembled,
  sha256,
  tableOf,
} from '../../../../support/raw-tar/chunked-blob.ts'
import {
  directory,
  file,
  gnuLong,
  hardlink,
  header,
  pax,
  symlink,
  tar,
} from '../../../../support/raw-tar/index.ts'
import { chunked, collected, hasTool, reused } from '../../support/files.ts'

/** Longer than one frame, by a length that is not whole blocks of anything. */
const LARGE = randomBytes(1_100_003).toString('latin1').repeat(2)
const TEXT = 'the same again '.repeat(9000)
const XATTR = 'SCHILY.xattr.user.note'
const LONG_NAME = `deep/${'n'.repeat(150)}`

const SAMPLE = tar(
  directory('./'),
  directory('etc/', { mode: 0o40755, uid: 7, gid: 8 }),
  file('etc/text', TEXT, { mtime: 1_700_000_000, uid: 1000 }),
  ...Array.from({ length: 60 }, (_, index) => file(`etc/small${index}`, `file ${index}`)),
  file('etc/empty'),
  file('large', LARGE),
  pax({ mtime: '1600000000.123456789', atime: '-1.25', [XATTR]: 'a\xffb', path: 'caf\xc3\xa9' }),
  file('ignored', 'with records', { mode: 0o4755 }),
  gnuLong('L', LONG_NAME),
  file('short', 'long name', { magic: 'ustar  \0' }),
  symlink('etc/link', 'text'),
  hardlink('etc/other', 'etc/text'),
  header({ name: 'dev', type: '3', major: 5, minor: 1 }),
  header({ name: 'fifo', type: '6' }),
)

interface Packed {
  readonly blob: Buffer
  readonly annotations: Annotations | undefined
}

async function pack(
  bytes: AsyncIterable<Uint8Array>,
  options: { readonly level?: number; readonly atOnce?: () => number } = {},
): Promise<Packed> {
  let annotations: Annotations | undefined
  const packed = compress(bytes as AsyncGenerator<Uint8Array>, 'zstd:chunked', {
    ...options,
    onAnnotations: (found) => {
      annotations = found
    },
  })
  return { blob: await collected(packed), annotations }
}

describe('zstd:chunked', () => {
  let packed: Packed
  const table = (): ReturnType<typeof tableOf> => {
    assert(packed.annotations)
    return tableOf(packed.blob, packed.annotations)
  }

  before(async () => {
    packed = await pack(reused(SAMPLE, 100_003))
  })

  it('comes back as it was', async () => {
    const { blob } = packed
    assert((await collected(decompress(chunked(blob, 65_537), 'detect'))).equals(SAMPLE))
    assert((await collected(decompress(chunked(blob, 65_537), 'zstd'))).equals(SAMPLE))
    assert(blob.length < SAMPLE.length)
  })

  it('is good for the tool of that name', function () {
    if (!hasTool('zstd')) this.skip()
    const input = packed.blob
    execFileSync('zstd', ['-t'], { input, stdio: ['pipe', 'ignore', 'pipe'] })
    assert(execFileSync('zstd', ['-dc'], { input, maxBuffer: 1 << 27 }).equals(SAMPLE))
  })

  it('is the same whatever the pieces it came in, and however many are packed at a time', async () => {
    let asked = 0
    for (const size of [1 << 20, 509, SAMPLE.length]) {
      const again = await pack(chunked(SAMPLE, size), { atOnce: () => 1 + (asked++ % 3) })
      assert.deepEqual(again.annotations, packed.annotations)
      assert(again.blob.equals(packed.blob))
    }
    assert(asked > 10)
  })

  it('has every file in a range of its own', () => {
    const files = filesOf(packed.blob, table().entries)
    assert.equal(files.size, 64)
    assert.equal(files.get('etc/text')?.toString(), TEXT)
    assert.equal(files.get('etc/small59')?.toString(), 'file 59')
    assert(files.get('large')?.equals(Buffer.from(LARGE, 'latin1')))
  })

  it('lists every entry with what its headers say', () => {
    const { entries } = table()
    const of = (name: string): Record<string, unknown> => {
      const { offset: _, endOffset: __, ...rest } = entries.find((one) => one.name === name) ?? {}
      return rest
    }
    const old = '1970-01-01T00:00:00Z'
    assert.equal(entries.filter(({ type }) => type !== 'chunk').length, 71)
    assert.deepEqual(
      entries.filter(({ type }) => type === 'chunk').map(({ name }) => name),
      ['large'],
    )
    assert.deepEqual(of('etc/'), {
      ...{ type: 'dir', name: 'etc/', mode: 0o40755, uid: 7, gid: 8, modtime: old },
    })
    assert.deepEqual(of('etc/text'), {
      ...{ type: 'reg', name: 'etc/text', mode: 0o644, size: TEXT.length, uid: 1000 },
      ...{ modtime: '2023-11-14T22:13:20Z', digest: sha256(Buffer.from(TEXT)) },
    })
    assert.deepEqual(of('café'), {
      ...{ type: 'reg', name: 'café', mode: 0o4755, size: 12 },
      ...{ modtime: '2020-09-13T12:26:40.123456789Z', accesstime: '1969-12-31T23:59:58.75Z' },
      ...{ xattrs: { 'user.note': 'Yf9i' }, digest: sha256(Buffer.from('with records')) },
    })
    assert.equal(of(LONG_NAME).size, 9)
    assert.equal(of('etc/empty').digest, undefined)
    assert.equal(of('etc/link').linkName, 'text')
    assert.deepEqual([of('etc/other').type, of('etc/other').linkName], ['hardlink', 'etc/text'])
    assert.deepEqual([of('dev').type, of('dev').devMajor, of('dev').devMinor], ['char', 5, 1])
    assert.equal(of('fifo').type, 'fifo')
  })

  it('tells how the tar is put together from the files', () => {
    assert.equal(crc64(Buffer.from('123456789')), 0xb90956c775a41001n)
    const { entries, tarSplit } = table()
    assert(reassembled(tarSplit, filesOf(packed.blob, entries)).equals(SAMPLE))
  })

  it('packs better at a higher level', async () => {
    const text = tar(file('text', Array.from({ length: 9000 }, (_, i) => `${i * 77}\n`).join('')))
    const [fast, well] = [
      await pack(chunked(text), { level: 1 }),
      await pack(chunked(text), { level: 19 }),
    ]
    assert(well.blob.length < fast.blob.length)
  })

  it('takes a tar without an entry, and one without an end', async () => {
    for (const bytes of [tar(), tar(file('a', 'b')).subarray(0, 1024)]) {
      const { blob, annotations } = await pack(chunked(bytes))
      assert((await collected(decompress(chunked(blob), 'zstd'))).equals(bytes))
      assert(annotations)
      const { entries, tarSplit } = tableOf(blob, annotations)
      assert.equal(entries.length, bytes.subarray(0, 1).equals(Buffer.from('a')) ? 1 : 0)
      assert(reassembled(tarSplit, filesOf(blob, entries)).equals(bytes))
    }
  })

  const sparse = { 'GNU.sparse.map': '0,3', 'GNU.sparse.size': '9000' }
  const others: Readonly<Record<string, Buffer>> = {
    'a file that is there twice': tar(file('a/b', 'one'), file('./a//b', 'two')),
    'a name that is not text': tar(file('caf\xe9', 'text')),
    'a sparse file': tar(pax(sparse), file('sparse', 'abc'), file('b', 'after it')),
    'records for all entries': tar(pax({ comment: 'all' }, 'g'), file('a', 'b')),
    'a time after year 9999': tar(pax({ mtime: '999999999999' }), file('a', 'b')),
    'bytes after the end': Buffer.concat([tar(file('a', 'b')), Buffer.alloc(512, 1)]),
    'a contiguous file': tar(file('a', 'b', { type: '7' })),
    'no tar': Buffer.from('the same again '.repeat(300_000)),
    'half a tar': tar(file('a', TEXT)).subarray(0, 9000),
    'nothing but a piece of a block': Buffer.alloc(100),
  }

  for (const [what, bytes] of Object.entries(others)) {
    it(`is plain zstd for ${what}`, async () => {
      const { blob, annotations } = await pack(chunked(bytes))
      assert.equal(annotations, undefined)
      assert((await collected(decompress(chunked(blob), 'zstd'))).equals(bytes))
      assert((await pack(chunked(bytes, 333))).blob.equals(blob))
    })
  }
})
