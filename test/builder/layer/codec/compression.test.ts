import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import zlib from 'node:zlib'
import { compress, decompress, detectCompression } from '#builder/layer'
import { type Compression, TsbuildError } from '#core'
import { chunked, collected, hasTool, reused, temporary } from '../support/files.ts'

/** Blocks of every kind: random, repeated, text; longer than several blocks and frames of the packers. */
const SAMPLE = Buffer.concat([
  randomBytes(700_001),
  Buffer.alloc(18_000_000, 'the same again '),
  Buffer.from(Array.from({ length: 300_000 }, (_, i) => `line ${i * 7}\n`).join('')),
])

async function unpacked(bytes: Buffer, as: Compression | 'detect') {
  return collected(decompress(chunked(bytes, 65_537), as))
}

describe('compression', () => {
  const files = temporary()
  const packed = new Map<Compression, Buffer>()

  before(async () => {
    for (const kind of ['gzip', 'zstd'] as const) {
      packed.set(kind, await collected(compress(reused(SAMPLE, 100_003), kind)))
    }
  })

  const bytesOf = (kind: Compression): Buffer => packed.get(kind) ?? Buffer.alloc(0)

  for (const kind of ['gzip', 'zstd'] as const) {
    describe(kind, () => {
      it('comes back as it was', async () => {
        assert((await unpacked(bytesOf(kind), 'detect')).equals(SAMPLE))
        assert((await unpacked(bytesOf(kind), kind)).equals(SAMPLE))
        assert(bytesOf(kind).length < SAMPLE.length / 2)
      })

      it('is the same whatever the pieces it came in', async () => {
        for (const size of [1 << 20, 4096, SAMPLE.length]) {
          assert((await collected(compress(chunked(SAMPLE, size), kind))).equals(bytesOf(kind)))
        }
      })

      it('is the same however many blocks are packed at a time', async () => {
        let asked = 0
        const atOnce = (): number => 1 + (asked++ % 3)
        const bytes = compress(chunked(SAMPLE, 1 << 16), kind, { atOnce })
        assert((await collected(bytes)).equals(bytesOf(kind)))
        assert.ok(asked > 1)
      })

      it('is good for the tool of that name', function () {
        if (!hasTool(kind)) this.skip()
        const input = bytesOf(kind)
        execFileSync(kind, ['-t'], { input, stdio: ['pipe', 'ignore', 'pipe'] })
        assert(execFileSync(kind, ['-dc'], { input, maxBuffer: 1 << 27 }).equals(SAMPLE))
      })

      it('is packed otherwise at another level, and comes back', async () => {
        const [fast, well] = await Promise.all(
          [1, 9].map((level) => collected(compress(reused(SAMPLE, 100_003), kind, { level }))),
        )
        assert.ok(fast !== undefined && well !== undefined && !well.equals(fast))
        assert.ok((await unpacked(well, kind)).equals(SAMPLE))
      })

      it('can be empty', async () => {
        const empty = await collected(compress(chunked(Buffer.alloc(0)), kind))
        assert.equal((await unpacked(empty, kind)).length, 0)
      })

      it('is refused when it is damaged, cut short or followed by something', async () => {
        const good = bytesOf(kind)
        const flipped = Buffer.from(good)
        flipped[good.length >> 1] = (flipped[good.length >> 1] ?? 0) ^ 0x10
        const badSum = Buffer.from(good)
        const at = kind === 'gzip' ? good.length - 6 : good.length - 2
        badSum[at] = (badSum[at] ?? 0) ^ 1
        const cases = {
          flipped,
          badSum,
          short: good.subarray(0, -1),
          half: good.subarray(0, good.length >> 1),
          start: good.subarray(0, 8),
          none: kind === 'gzip' ? Buffer.alloc(0) : Buffer.from('x'),
          followed: Buffer.concat([good, Buffer.from('something else')]),
          plain: SAMPLE,
        }
        for (const [name, bytes] of Object.entries(cases)) {
          await assert.rejects(unpacked(bytes, kind), { code: 'LAYER_INVALID' }, name)
        }
      })

      it('closes its source when iteration ends early', async () => {
        let ended = false
        async function* endless() {
          try {
            for (;;) yield SAMPLE
          } finally {
            ended = true
          }
        }
        for await (const _ of decompress(compress(endless(), kind), kind)) break
        for (let i = 0; i < 100 && !ended; i++) await new Promise((done) => setTimeout(done, 10))
        assert(ended)
      })

      it('passes failures of its source on', async () => {
        async function* broken() {
          yield bytesOf(kind).subarray(0, 1000)
          throw new TsbuildError('x', { code: 'DIGEST_MISMATCH' })
        }
        await assert.rejects(collected(decompress(broken(), kind)), { code: 'DIGEST_MISMATCH' })
        await assert.rejects(collected(compress(broken(), kind)), { code: 'DIGEST_MISMATCH' })
      })
    })
  }

  it('with gzip does not look for matches where a block has none', async () => {
    const weights = Buffer.from(randomBytes(1 << 21).map((byte) => byte & 0x1f))
    const repeated = Buffer.alloc(1 << 21, weights.subarray(0, 20_000))
    const { Z_RLE, Z_DEFAULT_STRATEGY } = zlib.constants
    for (const [block, strategy] of [
      [weights, Z_RLE],
      [repeated, Z_DEFAULT_STRATEGY],
    ] as const) {
      const packed = await collected(compress(chunked(block), 'gzip'))
      const expected = zlib.deflateRawSync(block, { level: 4, strategy })
      assert.deepEqual(packed.subarray(10, 10_000), expected.subarray(0, 9_990))
    }
  })

  it('with zstd makes several frames, whose window every reader has', async function () {
    if (!hasTool('zstd')) this.skip()
    const file = files.fresh()
    for (const level of [1, 12]) {
      writeFileSync(file, await collected(compress(chunked(SAMPLE, 1 << 20), 'zstd', { level })))
      assert.match(execFileSync('zstd', ['-lv', file], { encoding: 'utf8' }), /Frames: 3\n/)
      execFileSync('zstd', ['-tq', '--memory=8MB', file])
    }
  })

  it('of none passes everything on', async () => {
    assert((await collected(compress(chunked(SAMPLE), 'none'))).equals(SAMPLE))
    assert((await unpacked(SAMPLE, 'none')).equals(SAMPLE))
    assert((await unpacked(SAMPLE, 'detect')).equals(SAMPLE))
    assert.equal((await unpacked(Buffer.alloc(0), 'detect')).length, 0)
  })

  it('reads all members of a gzip file, and zeros after them', async () => {
    const members = [zlib.gzipSync('a'), zlib.gzipSync(''), zlib.gzipSync('b'), Buffer.alloc(700)]
    assert.equal(String(await unpacked(Buffer.concat(members), 'detect')), 'ab')
  })

  describe('zstd frames', () => {
    const skippable = Buffer.concat([Buffer.from('5f2a4d1805000000', 'hex'), Buffer.from('12345')])
    const frames = Array.from({ length: 50 }, (_, i) => zlib.zstdCompressSync(`frame ${i};`))
    const text = frames.map((_, i) => `frame ${i};`).join('')

    it('are all read, skippable ones are skipped', async () => {
      const bytes = Buffer.concat([skippable, ...frames.flatMap((frame) => [frame, skippable])])
      assert.equal(detectCompression(bytes), 'zstd')
      for (const size of [1, 3, 1000]) {
        assert.equal(String(await collected(decompress(chunked(bytes, size), 'detect'))), text)
      }
      assert.equal((await unpacked(Buffer.concat([skippable, skippable]), 'zstd')).length, 0)
    })

    it('of other writers: known size, checksum or not, no window', async function () {
      if (!hasTool('zstd')) this.skip()
      for (const options of [
        ['--no-check'],
        ['--check', '-19'],
        ['-1', '--long=27'],
        ['--no-content-size'],
      ]) {
        const input = SAMPLE.subarray(600_000, 1_400_000)
        const bytes = execFileSync('zstd', ['-q', '-c', ...options], { input, maxBuffer: 1 << 27 })
        assert((await unpacked(bytes, 'zstd')).equals(input), options.join(' '))
      }
    })

    it('that would need two gigabytes are refused', async function () {
      if (!hasTool('zstd')) this.skip()
      const bytes = execFileSync('zstd', ['-q', '-c', '--long=31', '--no-content-size'], {
        input: SAMPLE,
      })
      await assert.rejects(unpacked(bytes, 'zstd'), { code: 'LAYER_INVALID' })
    })
  })

  it('stops bombs', async function () {
    this.timeout(20_000)
    const bytes = await collected(compress(repeated(Buffer.alloc(1 << 20, 1)), 'zstd'))
    const before = process.memoryUsage().rss
    let size = 0
    await assert.rejects(
      async () => {
        for await (const chunk of decompress(chunked(bytes), 'zstd')) size += chunk.length
      },
      { code: 'LAYER_INVALID', message: /more comes out/ },
    )
    assert(size < 66 << 20)
    assert(process.memoryUsage().rss - before < 100 << 20)
  })

  for (const kind of ['gzip', 'zstd'] as const) {
    it(`takes the zeros of a file with holes for none, with ${kind}`, async function () {
      this.timeout(20_000)
      const bytes = await collected(compress(repeated(Buffer.alloc(1 << 20)), kind))
      let size = 0
      for await (const chunk of decompress(chunked(bytes), kind)) size += chunk.length
      assert.equal(size, 300 << 20)
    })
  }

  it('is what the bytes are, whatever is claimed of them', async () => {
    const tar = Buffer.alloc(1024)
    tar.write('ustar', 257)
    const gzip = await collected(compress(chunked(tar, 100), 'gzip'))
    const zstd = await collected(compress(chunked(tar, 100), 'zstd'))
    for (const [bytes, claimed] of [
      [tar, 'gzip'],
      [tar, 'zstd'],
      [zstd, 'gzip'],
      [gzip, 'zstd'],
    ] as const) {
      assert.deepEqual(await unpacked(bytes, claimed), tar)
    }
    assert.deepEqual(await unpacked(gzip, 'none'), gzip)
    const other = Buffer.alloc(1024, 1)
    await assert.rejects(unpacked(other, 'gzip'), { code: 'LAYER_INVALID' })
  })

  it('is known by its first bytes', () => {
    const kinds = ['gzip', 'zstd', 'xz', 'bzip2'] as const
    const starts = ['1f8b08', '28b52ffd', 'fd377a585a00', '425a6839']
    assert.deepEqual(
      starts.map((start) => detectCompression(Buffer.from(start, 'hex'))),
      kinds,
    )
    for (const start of ['', '1f', '28b52f', '5f2a4d17', '757374617200']) {
      assert.equal(detectCompression(Buffer.from(start, 'hex')), 'none')
    }
  })
})

async function* repeated(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let i = 0; i < 300; i++) yield bytes
}
