import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { send } from './faults.ts'
import { type RecordedRequest, type Reply, record } from './http.ts'

/** A server on its own port that records requests and answers as `answer` says. */
export class Recorder implements AsyncDisposable {
  readonly requests: RecordedRequest[] = []
  readonly #server: Server

  private constructor(answer: (request: RecordedRequest) => Reply) {
    this.#server = createServer((request, response) => {
      const recorded = record(request)
      this.requests.push(recorded)
      request.resume()
      request.on('end', () => void send(response, answer(recorded), undefined))
    })
  }

  static async start(answer: (request: RecordedRequest) => Reply): Promise<Recorder> {
    const recorder = new Recorder(answer)
    await new Promise<void>((resolve) => recorder.#server.listen(0, '127.0.0.1', resolve))
    return recorder
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}
