/**
 * As much of DNS messages as forwarding needs: who asks for what, with how much room for the answer. All
 * else is passed on as it is.
 * Spec: RFC 1035 section 4, RFC 6891 section 6
 */
import { Buffer } from 'node:buffer'

/** Where names are asked for. */
export const DNS_PORT = 53

/** What a message asks for. */
export interface Question {
  /** Labels in lower case with dots between them, without one at the end; bytes as Latin-1. */
  readonly name: string
  readonly type: number
  readonly class: number
}

/** A message that asks for something. */
export interface Query {
  /** As it was received. */
  readonly message: Buffer
  readonly question: Question
  /** Where the question ends in the message. */
  readonly questionEnd: number
  /** 0: an ordinary query. */
  readonly opcode: number
  /** Bytes that an answer over UDP may have. */
  readonly room: number
}

/** Response codes of answers. */
export const RCODE = { NOERROR: 0, SERVFAIL: 2, NOTIMP: 4, REFUSED: 5 } as const

const HEADER = 12
const QR = 0x80
const OPCODE = 0x78
const RECURSION_DESIRED = 0x01
const AUTHORITATIVE = 0x04
const TRUNCATED = 0x02
const RECURSION_AVAILABLE = 0x80
const RCODE_BITS = 0x0f
/** The most bytes that a name has in a message. */
const MAX_NAME = 255
const MAX_LABEL = 63
const POINTER = 0xc0
const CLASS_INTERNET = 1
/** The type of the record that says how much room there is. */
const OPT = 41
const LEAST_ROOM = 512

/** Reads a query; `undefined` for what is none, or not well-formed. */
export function parseQuery(message: Buffer): Query | undefined {
  if (message.length < HEADER || flagsOf(message) & QR) return undefined
  const name = readName(message, HEADER)
  if (message.readUInt16BE(4) !== 1 || name === undefined) return undefined
  const questionEnd = name.end + 4
  if (questionEnd > message.length) return undefined
  const room = roomIn(message, questionEnd)
  if (room === undefined) return undefined
  const question = {
    name: name.text,
    type: message.readUInt16BE(name.end),
    class: message.readUInt16BE(name.end + 2),
  }
  return { message, question, questionEnd, opcode: (flagsOf(message) & OPCODE) >> 3, room }
}

/** Whether this is an answer to the query when that was sent with this id. */
export function isAnswerTo(answer: Buffer, query: Query, id: number): boolean {
  if (answer.length < query.questionEnd || answer.readUInt16BE(0) !== id) return false
  const flags = flagsOf(answer)
  if (!(flags & QR) || (flags & OPCODE) >> 3 !== query.opcode) return false
  if (answer.readUInt16BE(4) !== 1) return false
  const name = readName(answer, HEADER)
  if (name?.text !== query.question.name || name.end + 4 !== query.questionEnd) return false
  return answer.compare(query.message, name.end, name.end + 4, name.end, name.end + 4) === 0
}

/** The same message with another id. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(id, 0)
  return copy
}

/** The id of a query or answer. */
export function idOf(message: Buffer): number {
  return message.readUInt16BE(0)
}

/** The response code of an answer. */
export function rcodeOf(answer: Buffer): number {
  return answer.readUInt8(3) & RCODE_BITS
}

/** An answer to the query without records. */
export function emptyAnswer({ message, questionEnd, opcode }: Query, rcode: number): Buffer {
  const answer = Buffer.from(message.subarray(0, questionEnd))
  const desired = flagsOf(message) & RECURSION_DESIRED
  answer.writeUInt8(QR | (opcode << 3) | desired, 2)
  answer.writeUInt8(RECURSION_AVAILABLE | rcode, 3)
  return withoutRecords(answer)
}

/** Types of records that are answered here. */
export const RECORD_TYPE = { A: 1, PTR: 12, AAAA: 28 } as const

/** A record for the name that is asked for. */
export interface ResourceRecord {
  readonly type: number
  /** Seconds for which it may be kept. */
  readonly ttl: number
  readonly data: Uint8Array
}

/** An answer to the query with records. */
export function answerWith(query: Query, records: readonly ResourceRecord[]): Buffer {
  const head = emptyAnswer(query, RCODE.NOERROR)
  head.writeUInt16BE(records.length, 6)
  const parts = records.map(({ type, ttl, data }) => {
    const fixed = Buffer.alloc(12)
    fixed.writeUInt16BE((POINTER << 8) | HEADER, 0)
    fixed.writeUInt16BE(type, 2)
    fixed.writeUInt16BE(CLASS_INTERNET, 4)
    fixed.writeUInt32BE(ttl, 6)
    fixed.writeUInt16BE(data.length, 10)
    return Buffer.concat([fixed, data])
  })
  return Buffer.concat([head, ...parts])
}

/** An answer as it is where there is room for it, else one that says to ask again over TCP. */
export function fitAnswer(answer: Buffer, { questionEnd, room }: Query): Buffer {
  if (answer.length <= room) return answer
  const head = Buffer.from(answer.subarray(0, questionEnd))
  head.writeUInt8((flagsOf(head) & ~AUTHORITATIVE) | TRUNCATED, 2)
  return withoutRecords(head)
}

function withoutRecords(message: Buffer): Buffer {
  return message.fill(0, 6, HEADER)
}

function flagsOf(message: Buffer): number {
  return message.readUInt8(2)
}

/** What the client says of itself, or what every client takes; `undefined`: the records are broken. */
function roomIn(message: Buffer, questionEnd: number): number | undefined {
  let records = 0
  for (const offset of [6, 8, 10]) records += message.readUInt16BE(offset)
  let room = LEAST_ROOM
  let position = questionEnd
  for (; records > 0; records--) {
    const end = endOfName(message, position)
    if (end === undefined || end + 10 > message.length) return undefined
    const type = message.readUInt16BE(end)
    if (type === OPT) room = Math.max(room, message.readUInt16BE(end + 2))
    position = end + 10 + message.readUInt16BE(end + 8)
  }
  return position > message.length ? undefined : room
}

interface Name {
  readonly text: string
  readonly end: number
}

/** A name that is written out, as in questions, where nothing precedes that it could point to. */
function readName(message: Buffer, start: number): Name | undefined {
  const labels: string[] = []
  let position = start
  for (;;) {
    if (position >= message.length || position - start >= MAX_NAME) return undefined
    const length = message.readUInt8(position)
    if (length === 0) return { text: labels.join('.').toLowerCase(), end: position + 1 }
    if (length > MAX_LABEL) return undefined
    labels.push(message.toString('latin1', position + 1, position + 1 + length))
    position += 1 + length
  }
}

/** Where a name ends that may point to another place. */
function endOfName(message: Buffer, start: number): number | undefined {
  let position = start
  for (;;) {
    if (position >= message.length || position - start >= MAX_NAME) return undefined
    const length = message.readUInt8(position)
    if (length === 0) return position + 1
    if ((length & POINTER) === POINTER) return position + 2
    if (length > MAX_LABEL) return undefined
    position += 1 + length
  }
}
