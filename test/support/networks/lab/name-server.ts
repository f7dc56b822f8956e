import { Buffer } from 'node:buffer'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** A question as it reached a server. */
export interface Asked {
  readonly over: 'udp' | 'tcp'
  readonly id: number
  readonly name: string
  readonly type: number
  /** Of the client. */
  readonly port: number
  /** The whole message. */
  readonly message: Buffer
}

/** What a server sends for a question: any number of messages, sent as they are. */
export type Behaviour = (asked: Asked) => readonly Buffer[] | Promise<readonly Buffer[]>

/** A name server on port 53 of an address of loopback, which may lie. */
export class NameServer implements AsyncDisposable {
  readonly address: string
  readonly asked: Asked[] = []
  readonly #behaviour: Behaviour
  readonly #udp: Socket = createSocket('udp4')
  readonly #tcp: Server

  private constructor(address: string, behaviour: Behaviour) {
    this.address = address
    this.#behaviour = behaviour
    this.#udp.on('message', (message, client) => void this.#answerUdp(message, client))
    this.#tcp = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', async (data) => {
        const message = Buffer.from(data).subarray(2)
        for (const answer of await this.#answers('tcp', message, socket.remotePort ?? 0)) {
          const length = Buffer.alloc(2)
          length.writeUInt16BE(answer.length)
          socket.write(Buffer.concat([length, answer]))
        }
      })
    })
  }

  /** @param address of the network that this process is in */
  static async start(behaviour: Behaviour, address: string = freeAddress()): Promise<NameServer> {
    const server = new NameServer(address, behaviour)
    server.#udp.bind(53, server.address)
    server.#tcp.listen(53, server.address)
    await Promise.all([once(server.#udp, 'listening'), once(server.#tcp, 'listening')])
    return server
  }

  /** Sends something to a client of its own accord. */
  send(message: Buffer, port: number, address: string = '127.0.0.1'): void {
    this.#udp.send(message, port, address)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#udp.close()
    this.#tcp.close()
    await once(this.#udp, 'close')
  }

  async #answerUdp(message: Buffer, { port, address }: RemoteInfo): Promise<void> {
    for (const answer of await this.#answers('udp', message, port)) {
      this.#udp.send(answer, port, address)
    }
  }

  async #answers(over: Asked['over'], message: Buffer, port: number): Promise<readonly Buffer[]> {
    const labels: string[] = []
    let position = 12
    for (let length = message[position] ?? 0; length > 0; length = message[position] ?? 0) {
      labels.push(message.toString('latin1', position + 1, position + 1 + length))
      position += 1 + length
    }
    const type = message.readUInt16BE(position + 1)
    const asked = { over, id: message.readUInt16BE(0), name: labels.join('.'), type, port, message }
    this.asked.push(asked)
    return await this.#behaviour(asked)
  }
}

let addresses = 0

/** An address of loopback that no other test of this or another process has. */
export function freeAddress(): string {
  addresses++
  return `127.${100 + (addresses % 100)}.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}`
}

/** What an answer differs in from one that fits. */
export interface Differences {
  readonly id?: number
  readonly name?: string
  readonly rcode?: number
  /** Bits of the second 16 of the header. */
  readonly flags?: number
}

const TYPES = { A: 1, TXT: 16 } as const

/** An answer with records of one type, written with nothing of what is tested. */
export function answerTo(
  asked: Asked,
  records: readonly (readonly [type: keyof typeof TYPES, value: string])[],
  { id = asked.id, name = asked.name, rcode = 0, flags = 0x8180 }: Differences = {},
): Buffer {
  const header = Buffer.alloc(12)
  for (const [index, value] of [id, flags | rcode, 1, records.length, 0, 0].entries()) {
    header.writeUInt16BE(value, index * 2)
  }
  const words = (...values: readonly number[]): Buffer =>
    Buffer.concat(values.map((value) => Buffer.from([value >> 8, value & 0xff])))
  const parts = records.map(([type, value]) => {
    const data =
      type === 'A'
        ? Buffer.from(value.split('.').map(Number))
        : Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
    return Buffer.concat([words(0xc00c, TYPES[type], 1, 0, 60, data.length), data])
  })
  return Buffer.concat([header, nameOf(name), words(asked.type, 1), ...parts])
}

/** A question as clients write it. @param room said in an OPT record, if any is */
export function questionFor(name: string, id: number, room?: number): Buffer {
  const header = Buffer.from([id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, room ? 1 : 0])
  const opt = room ? Buffer.from([0, 0, 41, room >> 8, room & 0xff, 0, 0, 0, 0, 0, 0]) : ''
  return Buffer.concat([header, nameOf(name), Buffer.from([0, 1, 0, 1]), Buffer.from(opt)])
}

function nameOf(name: string): Buffer {
  const labels = name.split('.').map((label) => `${String.fromCharCode(label.length)}${label}`)
  return Buffer.from(`${labels.join('')}\0`, 'latin1')
}
