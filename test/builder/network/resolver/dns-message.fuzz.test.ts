import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import {
  emptyAnswer,
  fitAnswer,
  isAnswerTo,
  parseQuery,
  type Query,
} from '../../../../builder/network/resolver/dns-message.ts'
import { FrameReader, frameOf } from '../../../../builder/network/resolver/tcp-frames.ts'
import { fuzz, havoc } from '../../../support/random/index.ts'

const QUESTION = '0377777704746573740000010001'
/** A question of its own, one with room for 1,232 bytes, and an answer with a name that points back. */
const MESSAGES = [
  `000101000001000000000000${QUESTION}`,
  `000101200001000000000001${QUESTION}00002904d0000000000000`,
  `000181800001000100000000${QUESTION}c00c000100010000003c00040a000001`,
].map((hex) => Buffer.from(hex, 'hex').toString('latin1'))

const message = havoc(fc.constantFrom(...MESSAGES))
const inputs = fc.record({ asked: message, answered: message, cut: fc.integer({ min: 1, max: 9 }) })

describe('fuzz: messages of DNS', () => {
  fuzz('F19: are read, answered and cut within their bounds', {
    name: 'dns-messages',
    inputs,
    check: ({ asked, answered, cut }) => {
      const [question, answer] = [asked, answered].map((text) => Buffer.from(text, 'latin1'))
      if (question === undefined || answer === undefined) return
      assert.deepEqual(framed([question, answer], cut), [question, answer])
      const query = parseQuery(question)
      if (query !== undefined) checkAnswers(query, answer)
    },
  })
})

function checkAnswers(query: Query, answer: Buffer): void {
  assert.ok(query.questionEnd <= query.message.length && query.room <= 0xffff)
  const id = query.message.readUInt16BE(0)
  assert.equal(isAnswerTo(query.message, query, id), false)
  const empty = emptyAnswer(query, 2)
  assert.ok(isAnswerTo(empty, query, id) && !isAnswerTo(empty, query, id ^ 1))
  if (isAnswerTo(answer, query, id)) assert.ok(isAnswerTo(fitAnswer(answer, query), query, id))
  const padded = Buffer.concat([empty, Buffer.alloc(0xffff)])
  const fitting = fitAnswer(padded, query)
  assert.ok(fitting.length <= Math.max(query.room, query.questionEnd))
}

/** Messages that went over TCP in small pieces. */
function framed(messages: readonly Buffer[], size: number): readonly Buffer[] {
  const bytes = Buffer.concat(messages.map(frameOf))
  const reader = new FrameReader()
  const found: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) {
    reader.push(bytes.subarray(at, at + size))
    for (let next = reader.shift(); next !== undefined; next = reader.shift()) {
      found.push(Buffer.from(next))
    }
  }
  return found
}
