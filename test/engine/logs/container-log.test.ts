import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import type { LogDriver } from '#engine/logs'
import { type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { BOTH, bytesOf, fileOf, filesIn, linesOf, logIn, textOf } from './support/log-lab.ts'

const DRIVERS: readonly LogDriver[] = ['json-file', 'local']

for (const driver of DRIVERS) {
  describe(`log of a container: ${driver}`, () => {
    let top: TemporaryDirectory
    let runs = 0
    beforeEach(() => {
      top = temporaryDirectory('logs')
    })
    afterEach(() => top[Symbol.dispose]())
    const fresh = (): string => top.file(`run${runs++}`)

    it('has the same lines however they are cut into chunks', async () => {
      const chunking = fc.array(fc.integer({ min: 1, max: 9_000 }), { minLength: 1 })
      const length = fc.oneof(fc.nat(60), fc.integer({ min: 16_380, max: 16_390 }), fc.nat(50_000))
      const text = fc.array(fc.tuple(length, fc.constantFrom('a', 'é', '€', '😀', '\\', '<')))
      await fc.assert(
        fc.asyncProperty(text, fc.boolean(), chunking, async (parts, isOpen, sizes) => {
          const lines = parts.map(([size, letter]) => `${letter.repeat(size / letter.length)}\n`)
          const printed = Buffer.from(lines.join('') + (isOpen ? 'no end' : ''))
          await using log = logIn(fresh(), { driver })
          for (let at = 0, turn = 0; at < printed.length; turn++) {
            const end = at + (sizes[turn % sizes.length] ?? 1)
            await log.write('stdout', printed.subarray(at, end))
            at = end
          }
          await log.end()
          const read = await linesOf(log)
          assert.ok(Buffer.concat(read.map(({ data }) => data)).equals(printed))
          const starts = read.filter(({ isContinued }) => !isContinued)
          assert.equal(starts.length, lines.length + (isOpen ? 1 : 0))
          assert.ok(read.every(({ data }) => data.length <= 16 * 1024))
        }),
        { numRuns: 40 },
      )
    })

    it('keeps the order and the outputs of lines, and their times', async () => {
      const before = BigInt(Date.now()) * 1_000_000n
      await using log = logIn(fresh(), { driver })
      await log.write('stdout', Buffer.from('one\nbeg'))
      await log.write('stderr', Buffer.from('two\n'))
      await log.write('stdout', Buffer.from('un\n'))
      const lines = await linesOf(log)
      assert.deepEqual(
        lines.map(({ stream, data }) => [stream, Buffer.from(data).toString()]),
        [
          ['stdout', 'one\n'],
          ['stderr', 'two\n'],
          ['stdout', 'begun\n'],
        ],
      )
      const after = BigInt(Date.now() + 5) * 1_000_000n
      for (const { time } of lines) assert.ok(time >= before - 5_000_000n && time <= after)
      // That of its first byte.
      assert.equal(lines[2]?.time, lines[0]?.time)
      assert.equal(await textOf(log, { streams: new Set(['stderr']) }), 'two\n')
    })

    it('gives the last lines without what is before, and those of a time', async () => {
      const options = { 'max-size': '20k', 'max-file': '40', compress: 'true' }
      await using log = logIn(fresh(), { driver, options })
      const all = Array.from({ length: 5_000 }, (_, index) => `line ${index}\n`)
      for (let at = 0; at < all.length; at += 100) {
        await log.write('stdout', Buffer.from(all.slice(at, at + 100).join('')))
      }
      await log.end()
      for (const tail of [0, 1, 2, 99, 300, 1_000, 4_999, 5_000, 6_000]) {
        assert.equal(await textOf(log, { tail }), tail === 0 ? '' : all.slice(-tail).join(''))
      }
      const lines = await linesOf(log)
      assert.equal(lines.length, 5_000)
      const [since, until] = [lines[1_234]?.time, lines[3_210]?.time]
      const expected = lines.filter(({ time }) => time >= (since ?? 0n) && time <= (until ?? 0n))
      assert.ok(expected.length > 1_000 && expected.length < 3_000)
      assert.deepEqual(await linesOf(log, { since, until }), expected)
    })

    it('counts lines of many pieces once from the end', async () => {
      await using log = logIn(fresh(), { driver })
      const long = `${'x'.repeat(100_000)}\n`
      await log.write('stdout', Buffer.from(`first\n${long}second\n${long}`))
      assert.equal(await textOf(log, { tail: 1 }), long)
      assert.equal(await textOf(log, { tail: 3 }), `${long}second\n${long}`)
      await log.write('stdout', Buffer.from('open'))
      await log.end()
      assert.equal(await textOf(log, { tail: 2 }), `${long}open`)
    })

    it('goes on where an earlier one ended', async () => {
      const folder = fresh()
      {
        await using log = logIn(folder, { driver })
        await log.write('stdout', Buffer.from('one\n'))
      }
      await using log = logIn(folder, { driver })
      assert.equal(await textOf(log), 'one\n')
      await log.write('stdout', Buffer.from('two\n'))
      assert.equal(await textOf(log), 'one\ntwo\n')
    })

    it('skips a line that is torn at any place, and goes on on a new one', async () => {
      const written = fresh()
      {
        await using log = logIn(written, { driver })
        await log.write('stdout', Buffer.from('whole\nto be torn, "<é\n'))
      }
      const content = readFileSync(fileOf(written, driver))
      const second = content.indexOf('\n') + 1
      for (let end = second + 1; end < content.length; end++) {
        const folder = fresh()
        await using log = logIn(folder, { driver })
        writeFileSync(fileOf(folder, driver), content.subarray(0, end))
        assert.equal(await textOf(log), 'whole\n')
        await log.write('stdout', Buffer.from('next\n'))
        const text = await textOf(log)
        // Only the newline may have been missing.
        const isWhole = driver === 'json-file' && end === content.length - 1
        assert.equal(text, isWhole ? 'whole\nto be torn, "<é\nnext\n' : 'whole\nnext\n')
      }
    })

    it('has an end that is what was printed, whatever sizes it rotates at', async () => {
      const sizes = fc.record({
        maxSize: fc.integer({ min: 1, max: 3_000 }),
        maxFiles: fc.integer({ min: 1, max: 6 }),
        compress: fc.boolean(),
        chunks: fc.array(fc.array(fc.string({ maxLength: 200 }), { minLength: 1 }), {
          minLength: 1,
          maxLength: 30,
        }),
      })
      await fc.assert(
        fc.asyncProperty(sizes, async ({ maxSize, maxFiles, compress, chunks }) => {
          const folder = fresh()
          const options = {
            'max-size': `${maxSize}`,
            'max-file': `${maxFiles}`,
            compress: `${compress && maxFiles > 1}`,
          }
          const texts = chunks.map((lines) =>
            lines.map((line) => `${line.replaceAll('\n', ' ')}\n`).join(''),
          )
          {
            await using log = logIn(folder, { driver, options })
            for (const text of texts) await log.write('stdout', Buffer.from(text))
          }
          assert.ok(filesIn(folder).length <= maxFiles)
          await using log = logIn(folder, { driver, options })
          const kept = await textOf(log)
          assert.ok(kept.length > 0)
          assert.ok(texts.join('').endsWith(kept))
        }),
        { numRuns: 40 },
      )
    })
  })
}

describe('log of a container', () => {
  it('keeps all bytes in local, and replaces those that are no text in json-file', async () => {
    using top = temporaryDirectory('logs')
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256))
    await using local = logIn(top.file('local'), { driver: 'local' })
    await local.write('stdout', bytes)
    await local.end()
    assert.ok((await bytesOf(local)).equals(bytes))
    await using json = logIn(top.file('json'))
    await json.write('stdout', Buffer.from([0x61, 0xe2, 0x82, 0x62, 0x0a]))
    assert.equal(await textOf(json), 'a\ufffd\ufffdb\n')
  })

  it('keeps nothing with none, and says that it cannot be read', async () => {
    using top = temporaryDirectory('logs')
    await using log = logIn(top.file('none'), { driver: 'none' })
    await log.write('stdout', Buffer.from('gone\n'))
    await log.end()
    assert.throws(() => log.read({ streams: BOTH }), {
      code: 'UNSUPPORTED',
      message: 'configured logging driver does not support reading',
    })
    assert.deepEqual(filesIn(top.file('none')), [])
  })
})
