import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { applyLayer, extractArchive } from '#builder/layer'
import { file, header, padded, pax, tar } from '../../../support/raw-tar/index.ts'
import { reused, temporary } from '../support/files.ts'

/** How GNU tar writes a sparse file. */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  'old GNU': ['--format=gnu'],
  'PAX 0.0': ['--format=posix', '--sparse-version=0.0'],
  'PAX 0.1': ['--format=posix', '--sparse-version=0.1'],
  'PAX 1.0': ['--format=posix', '--sparse-version=1.0'],
}
const HOLE = 64 * 1024

describe('sparse files in a tar', () => {
  const files = temporary()

  /** A file with data at the places, each a block, and zeros elsewhere. */
  function makeSparse(path: string, places: readonly number[], size: number): void {
    const fd = openSync(path, 'wx')
    for (const [i, place] of places.entries()) writeSync(fd, `${i}`.repeat(4096), place)
    ftruncateSync(fd, size)
    closeSync(fd)
  }

  function pack(folder: string, args: readonly string[]): Buffer {
    const options = ['--sparse', '--sort=name', ...args, '-C', folder, '-c', '.']
    return execFileSync('tar', options, { maxBuffer: 1 << 28 })
  }

  /** Unpacks, as a layer and as an archive, in pieces of that many bytes. */
  async function unpack(bytes: Buffer, piece: number): Promise<readonly string[]> {
    const paths = [files.fresh(), files.fresh()] as const
    await applyLayer(reused(bytes, piece), paths[0], { lowers: [] })
    await extractArchive(reused(bytes, piece), paths[1])
    return paths
  }

  for (const [format, args] of Object.entries(FORMATS)) {
    it(`are what GNU tar packed, as ${format}, in pieces of any size`, async function () {
      this.timeout(120_000)
      const folder = files.fresh()
      mkdirSync(folder)
      // Old GNU has four parts in a header, and 21 in each block after it.
      const many = Array.from({ length: 27 }, (_, i) => i * 2 * HOLE)
      makeSparse(join(folder, 'many'), many, 200 * HOLE)
      makeSparse(join(folder, 'middle'), [3 * HOLE], 5 * HOLE + 5)
      makeSparse(join(folder, 'start'), [0], 5 * HOLE)
      makeSparse(join(folder, 'end'), [4 * HOLE], 4 * HOLE + 4096)
      makeSparse(join(folder, 'hole'), [], 7 * HOLE + 1)
      makeSparse(join(folder, 'whole'), [0], 4096)
      makeSparse(join(folder, `${'long'.repeat(50)}`), [HOLE], 3 * HOLE)
      const names = ['many', 'middle', 'start', 'end', 'hole', 'whole', 'long'.repeat(50)]
      const bytes = pack(folder, args)
      assert.ok(bytes.length < 1 << 20, 'it has no holes')
      for (const piece of [1, 511, 512, 513, 7001, bytes.length]) {
        for (const path of await unpack(bytes, piece)) {
          for (const name of names) {
            const made = readFileSync(join(path, name))
            assert.ok(made.equals(readFileSync(join(folder, name))), `${name} by ${piece}`)
          }
          assert.ok(lstatSync(join(path, 'many')).blocks * 512 < 100 * HOLE, 'holes stay holes')
        }
      }
    })
  }

  it('are what GNU tar packed, whatever they are', async function () {
    this.timeout(120_000)
    const place = fc.integer({ min: 0, max: 60 }).map((at) => at * 4096)
    const made = fc.record({
      places: fc.uniqueArray(place, { maxLength: 30 }),
      rest: fc.integer({ min: 0, max: 5000 }),
      format: fc.constantFrom(...Object.values(FORMATS)),
      piece: fc.integer({ min: 1, max: 3000 }),
    })
    await fc.assert(
      fc.asyncProperty(made, async ({ places, rest, format, piece }) => {
        const folder = files.fresh()
        mkdirSync(folder)
        const size = Math.max(0, ...places.map((at) => at + 4096)) + rest
        makeSparse(join(folder, 'f'), places, size)
        for (const path of await unpack(pack(folder, format), piece)) {
          assert.ok(readFileSync(join(path, 'f')).equals(readFileSync(join(folder, 'f'))))
        }
      }),
      { numRuns: 25 },
    )
  })

  const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`
  const part = (offset: number, length: number) => octal(offset) + octal(length)
  const GNU = 'ustar  \0'
  /** An old sparse file whose parts are in the header. */
  const old = (parts: string, size: string, content = 'x', more = '\0') => {
    const raw = { 386: parts, 482: more, 483: size }
    return file('a', content, { type: 'S', magic: GNU, raw })
  }
  const version = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }
  /** One of format 1.0. */
  const text = (map: string, size: string, content = 'x') => {
    const records = pax({ ...version, 'GNU.sparse.name': 'a', 'GNU.sparse.realsize': size })
    const body = Buffer.concat([padded(map), Buffer.from(content)])
    return Buffer.concat([records, header({ name: 'b', size: body.length }), padded(body)])
  }
  /** One of format 0.1. */
  const record = (map: string, size: string, content = 'x') => {
    const records = { 'GNU.sparse.map': map, 'GNU.sparse.size': size, 'GNU.sparse.name': 'a' }
    return Buffer.concat([pax(records), file('b', content)])
  }
  const BIG = String(2 ** 60)
  const bigOctal = Buffer.from('800000001000000000000000', 'hex').toString('latin1')
  const twoTebi = Buffer.from('800000000000020000000000', 'hex').toString('latin1')
  const hostile: Readonly<Record<string, Buffer>> = {
    'old: more than a size can be': old(part(0, 1), bigOctal),
    'old: 2 TiB of nothing': old(part(0, 1), twoTebi),
    'old: a part beyond the end': old(part(10, 1), octal(5)),
    'old: parts that overlap': old(part(0, 2) + part(1, 1), octal(5), 'xxx'),
    'old: parts out of order': old(part(5, 1) + part(0, 1), octal(9), 'xx'),
    'old: less content than parts': old(part(0, 5), octal(9), 'xx'),
    'old: more content than parts': old(part(0, 1), octal(9), 'xx'),
    'old: no number': old('z'.repeat(24), octal(9)),
    'old: of another program': file('a', 'x', { type: 'S', raw: { 483: octal(9) } }),
    'old: blocks of parts without an end': Buffer.concat([
      header({ name: 'a', type: 'S', magic: GNU, raw: { 386: part(0, 0), 482: '\x01' } }),
      Buffer.alloc(4 << 20, padded(`${part(0, 0).padEnd(504, '\0')}\x01`)),
    ]),
    'text: 2^60 parts': text(`${BIG}\n`, '9'),
    'text: 10^15 parts': text(`1${'0'.repeat(15)}\n`, '9'),
    'text: a size of 2^60': text('1\n0\n1\n', BIG),
    'text: a size of 2 TiB': text('1\n0\n1\n', String(2 ** 41)),
    'text: no number': text('1\nx\n1\n', '9'),
    'text: a negative number': text('1\n-1\n1\n', '9'),
    'text: a line without an end': text('1'.repeat(4000), '9'),
    'text: no end of the map': text('9\n0\n1\n', '9'),
    'text: parts that overlap': text('2\n0\n1\n0\n1\n', '9', 'xx'),
    'text: more content': text('1\n0\n1\n', '9', 'xx'),
    'text: a map of 2 MiB': text(`300000\n${'0\n'.repeat(1 << 20)}`, '9'),
    'record: an odd number': record('0,1,2', '9'),
    'record: a part beyond the end': record('9,1', '9'),
    'record: a size of 2^60': record('0,1', BIG),
    'record: a name': record('0,x', '9'),
    'record: numbers in the wrong order': Buffer.concat([
      pax({ 'GNU.sparse.numbytes': '1', 'GNU.sparse.offset': '0' }),
      file('a', 'x'),
    ]),
    'record: of a directory': Buffer.concat([
      pax({ 'GNU.sparse.map': '0,0', 'GNU.sparse.size': '1' }),
      header({ name: 'a/', type: '5' }),
    ]),
    'an unknown version': Buffer.concat([
      pax({ 'GNU.sparse.major': '2', 'GNU.sparse.minor': '0' }),
      file('a', 'x'),
    ]),
    'a size and no map': Buffer.concat([pax({ 'GNU.sparse.size': '9' }), file('a', 'x')]),
  }
  for (const [what, entry] of Object.entries(hostile)) {
    it(`are refused in no time with ${what}`, async () => {
      const start = performance.now()
      await assert.rejects(applyLayer(reused(tar(entry)), files.fresh(), { lowers: [] }), {
        code: 'LAYER_INVALID',
      })
      assert.ok(performance.now() - start < 5000)
    })
  }

  it('may have parts of nothing, no parts, and a name of their own', async () => {
    const good: Readonly<Record<string, Buffer>> = {
      'x\0\0': text('3\n0\n0\n0\n1\n3\n0\n', '3'),
      '\0\0\0x': record('0,0,3,1', '4'),
      '\0\0': record('2,0', '2', ''),
      '\0x': old(part(1, 1), octal(2)),
      '\0': text('0\n', '1', ''),
    }
    for (const [content, entry] of Object.entries(good)) {
      for (const path of await unpack(tar(entry, file('z', 'next')), 100)) {
        assert.equal(readFileSync(join(path, 'a'), 'latin1'), content)
        assert.equal(readFileSync(join(path, 'z'), 'latin1'), 'next')
      }
    }
  })
})
