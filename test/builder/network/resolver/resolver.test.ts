import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { createSocket, type Socket } from 'node:dgram'
import { promises as dns } from 'node:dns'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { bindResolver, Resolver } from '#builder/network'
import {
  type Asked,
  answerTo,
  type Behaviour,
  freeAddress,
  NameServer,
  questionFor,
} from '../../../support/networks/index.ts'

const ADDRESS = '192.0.2.7'
const KNOWS: Behaviour = (asked) => [answerTo(asked, [['A', ADDRESS]])]
const SILENT: Behaviour = () => []

/** A resolver over servers, and Node's own client of it, which is c-ares. */
class Place implements AsyncDisposable {
  readonly address: string = freeAddress()
  readonly client: dns.Resolver = new dns.Resolver({ timeout: 4000, tries: 1 })
  readonly #resolver: Resolver
  readonly #sockets: Socket[] = []

  constructor(servers: readonly string[], answerFirst?: () => Buffer | undefined) {
    this.client.setServers([this.address])
    this.#resolver = new Resolver(bindResolver([this.address]), {
      servers: () => servers,
      ...(answerFirst && { answerFirst }),
    })
  }

  /** Sends messages as they are from one port. @returns what comes back until there is nothing for a while */
  async exchange(messages: readonly Buffer[], wait: number = 200): Promise<readonly Buffer[]> {
    const socket = createSocket('udp4')
    this.#sockets.push(socket)
    const answers: Buffer[] = []
    socket.on('message', (message) => answers.push(message))
    for (const message of messages) socket.send(message, 53, this.address)
    await setTimeout(wait)
    return answers
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close()
    await this.#resolver[Symbol.asyncDispose]()
  }
}

describe('resolver', () => {
  it('passes answers and failures of the first server on', async () => {
    await using server = await NameServer.start((asked) =>
      asked.name === 'known.test'
        ? [answerTo(asked, [['A', ADDRESS]])]
        : [answerTo(asked, [], { rcode: 3 })],
    )
    await using other = await NameServer.start(KNOWS)
    await using place = new Place([server.address, other.address])
    assert.deepEqual(await place.client.resolve4('known.test'), [ADDRESS])
    await assert.rejects(place.client.resolve4('unknown.test'), { code: 'ENOTFOUND' })
    assert.deepEqual(
      server.asked.map(({ name }) => name),
      ['known.test', 'unknown.test'],
    )
    assert.deepEqual(other.asked, [])
  })

  it('hands on what is too long for UDP over TCP', async () => {
    const text = 'x'.repeat(200)
    const records = Array.from({ length: 60 }, () => ['TXT', text] as const)
    await using server = await NameServer.start((asked) =>
      asked.over === 'tcp' ? [answerTo(asked, records)] : [answerTo(asked, [], { flags: 0x8380 })],
    )
    await using place = new Place([server.address])
    const found = await place.client.resolveTxt('long.test')
    assert.equal(found.flat().join('').length, 60 * text.length)
    assert.deepEqual(
      server.asked.map(({ over }) => over),
      ['udp', 'tcp'],
    )
  })

  it('gives a client no more over UDP than it has room for', async () => {
    const records = Array.from({ length: 20 }, () => ['TXT', 'x'.repeat(40)] as const)
    await using server = await NameServer.start((asked) => [answerTo(asked, records)])
    await using place = new Place([server.address])
    const [plain] = await place.exchange([questionFor('long.test', 7)])
    assert.ok(plain)
    assert.ok(plain.length <= 512)
    assert.equal(plain.readUInt16BE(2) & 0x0200, 0x0200, 'truncated')
    const [roomy] = await place.exchange([questionFor('long.test', 8, 1232)])
    assert.ok(roomy && roomy.length > 900)
    assert.equal(roomy.readUInt16BE(2) & 0x0200, 0)
    // What the client says of its room reaches the server.
    assert.deepEqual(server.asked.at(-1)?.message.subarray(-8, -6), Buffer.from([0x04, 0xd0]))
  })

  it('asks from another port with another id each time', async () => {
    await using server = await NameServer.start(KNOWS)
    await using place = new Place([server.address])
    const questions = Array.from({ length: 60 }, (_, index) => questionFor('many.test', index))
    const answers = await place.exchange(questions)
    assert.deepEqual(
      answers.map((answer) => answer.readUInt16BE(0)).sort((one, other) => one - other),
      questions.map((_, index) => index),
    )
    const distinct = (pick: (asked: Asked) => number): number =>
      new Set(server.asked.map(pick)).size
    assert.equal(server.asked.length, 60)
    assert.ok(distinct(({ id }) => id) > 55)
    assert.ok(distinct(({ port }) => port) > 55)
    assert.ok(server.asked.filter(({ id }) => id < 60).length < 10)
  })

  it('asks the next server where one is dead, silent or fails', async () => {
    const refuses: Behaviour = (asked) => [answerTo(asked, [], { rcode: 5 })]
    await using silent = await NameServer.start(SILENT)
    await using refusing = await NameServer.start(refuses)
    await using server = await NameServer.start(KNOWS)
    for (const [servers, most] of [
      [[freeAddress(), server.address], 1000],
      [[refusing.address, server.address], 1000],
      [[silent.address, server.address], 3000],
    ] as const) {
      await using place = new Place(servers)
      const start = performance.now()
      assert.deepEqual(await place.client.resolve4('next.test'), [ADDRESS])
      assert.ok(performance.now() - start < most)
    }
    await using place = new Place([refusing.address, refusing.address])
    await assert.rejects(place.client.resolve4('next.test'), { code: 'EREFUSED' })
    await using dead = new Place([freeAddress()])
    await assert.rejects(dead.client.resolve4('next.test'), { code: 'ESERVFAIL' })
    await using none = new Place([])
    await assert.rejects(none.client.resolve4('next.test'), { code: 'ESERVFAIL' })
  })

  it('takes the answer of a slow server while the next one is silent', async () => {
    await using slow = await NameServer.start(async (asked) => {
      await setTimeout(2000)
      return [answerTo(asked, [['A', ADDRESS]])]
    })
    await using silent = await NameServer.start(SILENT)
    await using place = new Place([slow.address, silent.address])
    assert.deepEqual(await place.client.resolve4('slow.test'), [ADDRESS])
    assert.deepEqual([slow.asked.length, silent.asked.length], [1, 1])
  })

  it('believes no answer with another id, question, sender or direction', async () => {
    const lie = [['A', '203.0.113.66']] as const
    await using liar = await NameServer.start(SILENT)
    await using server = await NameServer.start(async (asked) => {
      const { id } = asked
      liar.send(answerTo(asked, lie), asked.port)
      await setTimeout(50)
      return [
        answerTo(asked, lie, { id: id ^ 1 }),
        answerTo(asked, lie, { name: 'other.test' }),
        answerTo(asked, lie, { name: 'lies.tesu' }),
        answerTo(asked, lie, { flags: 0x0180 }),
        answerTo(asked, lie).subarray(0, 14),
        Buffer.alloc(0),
        answerTo(asked, [['A', ADDRESS]]),
      ]
    })
    await using place = new Place([server.address])
    assert.deepEqual(await place.client.resolve4('lies.test'), [ADDRESS])
  })

  it('gives up a server that guesses', async () => {
    await using guessing = await NameServer.start((asked) =>
      Array.from({ length: 100 }, (_, index) =>
        answerTo(asked, [['A', '203.0.113.66']], { id: (asked.id + 1 + index) & 0xffff }),
      ),
    )
    await using server = await NameServer.start(KNOWS)
    await using place = new Place([guessing.address, server.address])
    const start = performance.now()
    assert.deepEqual(await place.client.resolve4('guess.test'), [ADDRESS])
    assert.ok(performance.now() - start < 1000)
  })

  it('drops what is no question, and goes on', async () => {
    await using server = await NameServer.start(KNOWS)
    await using place = new Place([server.address])
    const question = questionFor('after.test', 1, 1232)
    const damaged = fc.sample(
      fc.oneof(
        fc.uint8Array({ maxLength: 600 }),
        fc.nat(question.length - 1).map((length) => question.subarray(0, length)),
      ),
      200,
    )
    const isAnswer = Buffer.from(question)
    isAnswer.writeUInt8(0x81, 2)
    await place.exchange([...damaged.map((bytes) => Buffer.from(bytes)), isAnswer])
    assert.deepEqual(
      server.asked.filter(({ name }) => name === 'after.test'),
      [],
    )
    assert.deepEqual(await place.client.resolve4('after.test'), [ADDRESS])
  })

  it('refuses what is not a question of one message', async () => {
    await using server = await NameServer.start(KNOWS)
    await using place = new Place([server.address])
    const update = questionFor('update.test', 3)
    update.writeUInt8(5 << 3, 2)
    const transfer = questionFor('zone.test', 4)
    transfer.writeUInt16BE(252, transfer.length - 4)
    const answers = await place.exchange([update, transfer])
    assert.deepEqual(
      answers.map((answer) => [answer.readUInt16BE(0), (answer[3] ?? 0) & 15]),
      [
        [3, 4],
        [4, 5],
      ],
    )
    assert.deepEqual(server.asked, [])
  })

  it('asks a bounded number of questions at a time', async () => {
    let isSilent = true
    await using server = await NameServer.start((asked) => (isSilent ? [] : KNOWS(asked)))
    await using place = new Place([server.address])
    const flood = Array.from({ length: 400 }, (_, index) => questionFor('flood.test', index))
    await place.exchange(flood, 500)
    assert.equal(server.asked.length, 128)
    isSilent = false
    // The silent questions are asked again, and make room.
    await setTimeout(1500)
    assert.deepEqual(await place.client.resolve4('after.test'), [ADDRESS])
  })

  it('answers many questions of one connection, in their order', async () => {
    await using server = await NameServer.start(KNOWS)
    await using place = new Place([server.address])
    const socket = connect(53, place.address)
    const frames = Array.from({ length: 5 }, (_, index) => {
      const message = questionFor('tcp.test', index)
      return Buffer.concat([Buffer.from([0, message.length]), message])
    })
    const all = Buffer.concat(frames)
    socket.write(all.subarray(0, 11))
    await setTimeout(20)
    socket.end(all.subarray(11))
    const answers = Buffer.concat(await socket.toArray())
    const expected = answerTo({ ...server.asked[0], id: 0 } as Asked, [['A', ADDRESS]])
    assert.equal(answers.length, 5 * (2 + expected.length))
    for (let index = 0; index < 5; index++) {
      assert.equal(answers.readUInt16BE(index * (2 + expected.length) + 2), index)
    }
  })

  it('closes a connection that sends something else', async () => {
    await using server = await NameServer.start(KNOWS)
    await using place = new Place([server.address])
    const socket = connect(53, place.address)
    socket.on('error', () => undefined)
    socket.write('GET / HTTP/1.1\r\n\r\n'.repeat(2000))
    await once(socket, 'close')
    assert.deepEqual(await place.client.resolve4('after.test'), [ADDRESS])
  })

  it('lets others know more than the servers', async () => {
    await using server = await NameServer.start(KNOWS)
    const known = answerTo({ id: 9, name: 'db', type: 1 } as Asked, [['A', '10.0.0.9']])
    await using place = new Place([server.address], () => known)
    assert.deepEqual(await place.exchange([questionFor('db', 9)]), [known])
    assert.deepEqual(server.asked, [])
  })
})
