import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { decompress } from '#builder/layer'
import { ensurePackages } from '../../../support/peers/index.ts'
import { chunked, collected } from '../support/files.ts'

const TEXT = Buffer.from(Array.from({ length: 10_000 }, (_, i) => `line ${i * 7}\n`).join(''))
const PROGRAM = readFileSync(process.execPath)

const SAMPLES: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('a'),
  text: TEXT,
  // Blocks of bzip2 unroll them, copies of LZMA overlap them.
  runs: Buffer.concat(Array.from({ length: 1000 }, (_, i) => Buffer.alloc(i % 300, i % 5))),
  zeros: Buffer.alloc(1_200_000),
  noise: randomBytes(100_000),
  'machine code': PROGRAM.subarray(PROGRAM.length >> 1, (PROGRAM.length >> 1) + 300_000),
  'copies from afar': Buffer.concat([TEXT, randomBytes(50_000), TEXT, Buffer.alloc(9, 1), TEXT]),
}

const WAYS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  xz: [
    [],
    ['-0'],
    ['-9'],
    ['--check=none'],
    ['--check=crc32'],
    ['--check=sha256'],
    ['--block-size=100000', '-T2'],
    ['--lzma2=preset=6,lc=0,lp=4,pb=0'],
    ['--lzma2=preset=1,lc=1,lp=2,pb=4,dict=4KiB'],
  ],
  bzip2: [[], ['-1']],
}

const pack = (program: string, args: readonly string[], data: Buffer): Buffer =>
  execFileSync(program, [...args, '-c'], { input: data, maxBuffer: 1 << 28 })

const unpack = (bytes: Buffer, size = 10_007): Promise<Buffer> =>
  collected(decompress(chunked(bytes, size), 'detect', { name: 'a.tar' }))

describe('unpacking of xz and bzip2', () => {
  before(() => ensurePackages())

  for (const [program, ways] of Object.entries(WAYS)) {
    for (const args of ways) {
      it(`gives what ${[program, ...args].join(' ')} packed`, async () => {
        const samples = args.length === 0 ? SAMPLES : { all: Buffer.concat(Object.values(SAMPLES)) }
        for (const [name, data] of Object.entries(samples)) {
          assert((await unpack(pack(program, args, data))).equals(data), name)
        }
      })
    }

    it(`reads several files of ${program}, in pieces of any size`, async () => {
      const one = pack(program, [], TEXT)
      const padding = Buffer.alloc(program === 'xz' ? 8 : 0)
      const both = Buffer.concat([one, padding, pack(program, [], Buffer.from('end')), padding])
      for (const size of [1, 13, both.length]) {
        assert.equal((await unpack(both, size)).toString(), `${TEXT.toString()}end`)
      }
    })

    it(`refuses ${program} that is cut short or followed by something`, async () => {
      const bytes = pack(program, [], TEXT)
      const hint = /it was|not what its media type says/
      for (const length of [6, 14, bytes.length >> 1, bytes.length - 1]) {
        const cut = unpack(bytes.subarray(0, length))
        await assert.rejects(cut, { code: 'LAYER_INVALID', hint }, String(length))
      }
      const longer = unpack(Buffer.concat([bytes, Buffer.from('more')]))
      await assert.rejects(longer, {
        code: 'LAYER_INVALID',
        message: /^unpack a\.tar: bad .* data: it (?:does not go on with a stream|ends too early)$/,
      })
    })

    it(`notices every changed byte of ${program} that matters`, async () => {
      const text = TEXT.subarray(0, 5000)
      const bytes = pack(program, [], text)
      const place = fc.nat(bytes.length - 1)
      await fc.assert(
        fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
          const damaged = Buffer.from(bytes)
          damaged[at] = (damaged[at] ?? 0) ^ change
          const found = await collected(
            decompress(chunked(damaged, 4096), program === 'xz' ? 'xz' : 'bzip2'),
          ).catch((cause: unknown) => cause)
          // Bits of bzip2 that mean nothing are the lengths of codes that are not used, a block size
          // that is larger than need be, and the last ones.
          if (Buffer.isBuffer(found))
            assert.ok(program === 'bzip2' && found.equals(text), String(at))
          else
            assert.ok(found instanceof Error && 'code' in found && found.code === 'LAYER_INVALID')
        }),
        { numRuns: 150 },
      )
    })
  }

  it('reports what of xz is not supported', async () => {
    const filtered = pack('xz', ['--x86', '--lzma2'], TEXT)
    await assert.rejects(unpack(filtered), { message: /filters other than LZMA2/ })
    const large = pack('xz', ['--lzma2=dict=600MiB'], Buffer.from('small'))
    await assert.rejects(unpack(large), { message: /wants more than 134217728 bytes of memory/ })
  })

  it('keeps no more than the window of xz', async () => {
    const bytes = pack('xz', ['-1'], Buffer.alloc(24 << 20, TEXT))
    const before = process.memoryUsage().rss
    let size = 0
    for await (const chunk of decompress(chunked(bytes, 65_536), 'xz')) size += chunk.length
    assert.equal(size, 24 << 20)
    assert.ok(process.memoryUsage().rss - before < 32 << 20)
  })
})
