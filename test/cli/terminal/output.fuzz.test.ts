import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { LineSplitter, LogTail } from '../../../cli/progress/step-output.ts'
import { cleanText } from '../../../cli/terminal/text.ts'
import { fuzz, havoc } from '../../support/random/index.ts'

/** Control characters, and those that change the direction of text. */
const HARMFUL = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/u

const OUTPUTS = [
  'plain line\nsecond\r\nthird\r10%\r20%\n',
  '\x1b[1;31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n',
  '\x9b31m\x90string\x9c\x1bP…\x1b\\\x1b',
  Buffer.from('é한🙂\u202eabc\u2066\u061c\n').toString('latin1'),
  '\t\x00\x7f\x80\xff\xc3\x28\n',
]

const inputs = fc.record({
  output: havoc(fc.constantFrom(...OUTPUTS), 10),
  cut: fc.integer({ min: 1, max: 40 }),
})

describe('fuzz: what steps print', () => {
  fuzz('F18: shows nothing to a terminal that would control it', {
    name: 'terminal',
    inputs,
    check: ({ output, cut }) => {
      const bytes = Buffer.from(output, 'latin1')
      const whole = split(bytes, bytes.length + 1)
      for (const line of [...whole, ...tail(bytes)]) assert.doesNotMatch(line, HARMFUL)
      assert.deepEqual(split(bytes, cut), whole)
      assert.doesNotMatch(cleanText(bytes.toString()).replaceAll(/\r?\n|\t/g, ''), HARMFUL)
    },
  })
})

function split(bytes: Buffer, size: number): readonly string[] {
  const splitter = new LineSplitter()
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += size) {
    lines.push(...splitter.push(bytes.subarray(at, at + size)))
  }
  const last = splitter.take()
  return last === undefined ? lines : [...lines, last]
}

function tail(data: Buffer): readonly string[] {
  const kept = new LogTail(10)
  kept.push({ stream: 'stdout', data })
  return kept.lines()
}
