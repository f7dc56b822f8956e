import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { decompress } from '#builder/layer'
import { ensurePackages } from '../../../support/peers/index.ts'
import { chunked, collected } from '../support/files.ts'

const MIB = 1 << 20

const pack = (args: readonly string[], data: Buffer): Buffer => {
  const [program = '', ...rest] = args
  return execFileSync(program, [...rest, '-c'], { input: data, maxBuffer: 1 << 28 })
}

const repeated = (bytes: Buffer, times: number): Buffer =>
  Buffer.concat(Array.from({ length: times }, () => bytes))

/** How many bytes of typed arrays `action` asks for. */
async function allocated(action: () => Promise<unknown>): Promise<number> {
  let bytes = 0
  const originals = { Uint8Array, Uint16Array, Uint32Array }
  for (const [name, Original] of Object.entries(originals)) {
    const counting = new Proxy(Original, {
      construct: (target, args: [number], made) => {
        const array: Uint8Array | Uint16Array | Uint32Array = Reflect.construct(target, args, made)
        if (typeof args[0] === 'number') bytes += array.byteLength
        return array
      },
    })
    Object.assign(globalThis, { [name]: counting })
  }
  try {
    await action()
  } finally {
    Object.assign(globalThis, originals)
  }
  return bytes
}

describe('xz and bzip2 that are made to be slow', () => {
  before(() => ensurePackages())

  for (const [name, args, content] of [
    ['streams of nothing', ['bzip2'], ''],
    ['blocks of one byte', ['bzip2'], 'a'],
    ['blocks of one byte', ['xz', '--check=none'], 'a'],
  ] as const) {
    it(`do not take memory anew for thousands of ${name} (${args[0]})`, async () => {
      const bytes = repeated(pack(args, Buffer.from(content)), 2000)
      const used = await allocated(async () => {
        const found = await collected(decompress(chunked(bytes, 65_536), 'detect'))
        assert.equal(found.toString(), content.repeat(2000))
      })
      assert.ok(used < 200 * MIB, `${used} bytes`)
    })
  }

  it('let others have a turn, and so can be stopped', async () => {
    for (const program of ['xz', 'bzip2']) {
      let turned = false
      setImmediate(() => {
        turned = true
      })
      const bytes = pack([program, '-1'], Buffer.concat([randomBytes(MIB), Buffer.alloc(MIB)]))
      for await (const chunk of decompress(chunked(bytes, bytes.length), 'detect')) {
        if (turned || chunk.length > 3 * MIB) break
      }
      assert.ok(turned, program)
    }
  })

  it('that are long come out whole, whatever their window', async () => {
    const piece = Buffer.from(Array.from({ length: 70_000 }, (_, i) => `${i * 7919}`).join())
    const data = repeated(Buffer.concat([piece, Buffer.alloc(MIB, 'ab')]), 7)
    for (const dict of ['4KiB', '2MiB']) {
      const bytes = pack(['xz', '-0', `--lzma2=preset=0,dict=${dict}`], data)
      assert.ok((await collected(decompress(chunked(bytes, 65_536), 'xz'))).equals(data), dict)
    }
  })
})
