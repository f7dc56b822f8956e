import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DetachKeys, demultiplex, parseDetachKeys } from '#engine/client'
import { jsonTexts } from '../../../../engine/client/streams/json-messages.ts'

/** Bytes in pieces as a connection may deliver them. */
async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

const SIZES = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })

describe('streams of an engine', () => {
  it('have JSON documents, however they are separated and cut into pieces', async () => {
    const separators = fc.constantFrom('', '\n', '\r\n', ' \t', '\u001e')
    const documents = fc.array(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 4 }), {
      minLength: 1,
    })
    await fc.assert(
      fc.asyncProperty(documents, separators, SIZES, async (values, separator, sizes) => {
        const text = values.map((value) => JSON.stringify(value) + separator).join('')
        const found: unknown[] = []
        for await (const one of jsonTexts(pieces(Buffer.from(text), sizes))) {
          found.push(JSON.parse(one))
        }
        assert.deepEqual(found, JSON.parse(JSON.stringify(values)))
      }),
    )
  })

  it('have outputs in frames, however they are cut into pieces', async () => {
    const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 60 })))
    await fc.assert(
      fc.asyncProperty(frames, SIZES, async (parts, sizes) => {
        const got = { 1: [] as number[], 2: [] as number[] }
        const bytes = Buffer.concat(parts.map(([type, data]) => frame(type, data)))
        await demultiplex(pieces(bytes, sizes), {
          stdout: async (data) => void got[1].push(...data),
          stderr: async (data) => void got[2].push(...data),
        })
        for (const stream of [1, 2] as const) {
          const sent = parts.filter(([type]) => type === stream).flatMap(([, data]) => [...data])
          assert.deepEqual(got[stream], sent)
        }
      }),
    )
  })

  it('end with an error that stands in a frame, and with bytes that are no frame', async () => {
    const sinks = { stdout: async () => undefined, stderr: async () => undefined }
    const told = demultiplex(pieces(frame(3, Buffer.from('gone')), [5]), sinks)
    await assert.rejects(told, { code: 'ENGINE_FAILED', message: /gone/ })
    const wrong = demultiplex(pieces(Buffer.from('plain text'), [100]), sinks)
    await assert.rejects(wrong, { code: 'ENGINE_FAILED', message: /unrecognized stream/ })
  })

  it('take keys until those come that detach, and hold back only what may be their start', () => {
    const keys = new DetachKeys(parseDetachKeys('ctrl-p,ctrl-q'))
    const pass = (text: string): string | undefined => {
      const passed = keys.pass(Buffer.from(text))
      return passed && Buffer.from(passed).toString()
    }
    assert.equal(pass('ls\u0010'), 'ls')
    assert.equal(pass('x'), '\u0010x')
    assert.equal(pass('\u0010\u0010'), '\u0010')
    assert.equal(pass('\u0011'), undefined)
    assert.deepEqual([...parseDetachKeys('a,ctrl-@,ctrl-[,ctrl-_')], [0x61, 0, 27, 31])
    assert.throws(() => parseDetachKeys('ctrl-'), { code: 'USAGE' })
  })
})

function frame(type: number, data: Uint8Array): Buffer {
  const header = Buffer.alloc(8)
  header[0] = type
  header.writeUInt32BE(data.length, 4)
  return Buffer.concat([header, data])
}
