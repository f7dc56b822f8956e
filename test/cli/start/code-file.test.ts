import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { Script } from 'node:vm'
import fc from 'fast-check'
import { readCode, writeCode } from '../../../cli/start/code-file.ts'
import { run, type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'

const RUNS = ['main.code.js', 'main-parse.code.js']

describe('a file of compiled code', () => {
  let directory: TemporaryDirectory
  let path: string
  beforeEach(() => {
    directory = temporaryDirectory('code-file')
    path = directory.file('main.code.js')
  })
  afterEach(() => directory[Symbol.dispose]())

  for (const length of [0, 1, 3, 4, 1000]) {
    it(`gives back what was written: ${length} bytes`, () => {
      const code = Buffer.alloc(length, 'c')
      writeCode(path, 'key', { code, runs: RUNS })
      const read = readCode(path, 'key')
      assert.deepEqual(read?.runs, RUNS)
      assert.deepEqual(Buffer.from(read.code), code)
      assert.deepEqual(readdirSync(directory.path), ['main.code.js'])
    })
  }

  it('is refused after any change: 1,000 flipped bits, cut ends and longer files', () => {
    const script = new Script('(function () { return [1, 2, 3].map((n) => n * 2) })')
    script.runInThisContext()()
    writeCode(path, 'key', { code: script.createCachedData(), runs: RUNS })
    const whole = readFileSync(path)
    assert.ok(readCode(path, 'key') !== undefined)
    const changed = fc.oneof(
      fc.nat({ max: whole.length * 8 - 1 }).map((bit) => {
        const bytes = Buffer.from(whole)
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        return bytes
      }),
      fc.nat({ max: whole.length - 1 }).map((length) => whole.subarray(0, length)),
      fc.uint8Array({ minLength: 1, maxLength: 99 }).map((more) => Buffer.concat([whole, more])),
      fc
        .tuple(fc.nat({ max: whole.length - 65 }), fc.uint8Array({ minLength: 64, maxLength: 64 }))
        .map(([at, block]) =>
          Buffer.concat([whole.subarray(0, at), block, whole.subarray(at + 64)]),
        ),
    )
    fc.assert(
      fc.property(changed, (bytes) => {
        fc.pre(!bytes.equals(whole))
        writeFileSync(path, bytes)
        assert.equal(readCode(path, 'key'), undefined)
      }),
      { numRuns: 1000 },
    )
  })

  it('is refused for another program', () => {
    writeCode(path, 'key', { code: Buffer.from('code'), runs: RUNS })
    assert.equal(readCode(path, 'kez'), undefined)
  })

  for (const mode of [0o640, 0o604, 0o620]) {
    it(`is refused with the mode ${mode.toString(8)}`, () => {
      writeCode(path, 'key', { code: Buffer.from('code'), runs: RUNS })
      chmodSync(path, mode)
      assert.equal(readCode(path, 'key'), undefined)
    })
  }

  it("is refused when it is another user's", function () {
    if (process.geteuid?.() !== 0) this.skip()
    writeCode(path, 'key', { code: Buffer.from('code'), runs: RUNS })
    chownSync(path, 1000, 1000)
    assert.equal(readCode(path, 'key'), undefined)
  })

  it('is not looked for behind a link, and a FIFO does not block', async () => {
    writeCode(directory.file('elsewhere'), 'key', { code: Buffer.from('code'), runs: RUNS })
    symlinkSync('elsewhere', path)
    assert.equal(readCode(path, 'key'), undefined)
    await run('mkfifo', ['-m', '600', directory.file('fifo')])
    assert.equal(readCode(directory.file('fifo'), 'key'), undefined)
    mkdirSync(directory.file('folder'))
    assert.equal(readCode(directory.file('folder'), 'key'), undefined)
  })

  it('takes the place of an earlier one, which a reader keeps', () => {
    writeCode(path, 'key', { code: Buffer.from('old'), runs: RUNS })
    linkSync(path, directory.file('held'))
    writeCode(path, 'key', { code: Buffer.from('new'), runs: RUNS })
    assert.equal(String(readCode(path, 'key')?.code), 'new')
    assert.equal(String(readCode(directory.file('held'), 'key')?.code), 'old')
  })

  it('leaves nothing when it cannot be put in place', () => {
    mkdirSync(path)
    assert.throws(() => writeCode(path, 'key', { code: Buffer.from('code'), runs: RUNS }))
    assert.deepEqual(readdirSync(directory.path), ['main.code.js'])
  })
})
