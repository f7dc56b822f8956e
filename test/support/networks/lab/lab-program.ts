import { once } from 'node:events'
import { chmodSync, mkdirSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Lab } from './lab.ts'

const WORKERS = fileURLToPath(new URL('../../published-workers/index.js', import.meta.url))

/**
 * A program on the host of a lab that does what its test asks for, over a socket: a line of JSON for each request and
 * each answer. Its module calls `serveTest`.
 */
export class LabProgram<Asked> implements AsyncDisposable {
  readonly pid: number
  readonly #daemon: AsyncDisposable
  readonly #socket: Socket
  readonly #answers: AsyncIterator<string>

  private constructor(daemon: AsyncDisposable & { readonly pid: number }, socket: Socket) {
    this.pid = daemon.pid
    this.#daemon = daemon
    this.#socket = socket
    this.#answers = createInterface({ input: socket })[Symbol.asyncIterator]()
  }

  /** @param prefix words in front of the command, by which another user runs it */
  static async start<Asked>(
    lab: Lab,
    module: URL,
    prefix: readonly string[] = [],
  ): Promise<LabProgram<Asked>> {
    const folder = lab.directory.file(`program-${count++}`)
    mkdirSync(folder)
    // Whoever it is.
    chmodSync(folder, 0o777)
    const path = `${folder}/socket`
    const words = [process.execPath, '--import', WORKERS, fileURLToPath(module), path]
    const daemon = await lab.start('host', [...prefix, ...words])
    const socket = connect(path)
    await once(socket, 'connect')
    return new LabProgram(daemon, socket)
  }

  /** @throws {Error} with the message and code of what went wrong */
  async ask(asked: Asked): Promise<unknown> {
    this.#socket.write(`${JSON.stringify(asked)}\n`)
    const { value } = await this.#answers.next()
    const { done, failed } = JSON.parse(value)
    if (failed !== undefined) throw Object.assign(new Error(failed.message), { code: failed.code })
    return done
  }

  /** Ends it without a chance to clean up. */
  async kill(): Promise<void> {
    process.kill(this.pid, 'SIGKILL')
    await this[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await this.#daemon[Symbol.asyncDispose]()
  }
}

let count = 0

/** Does what tests ask this program for, one thing after another, until it is asked to end. */
export function serveTest<Asked>(
  perform: (asked: Asked) => Promise<unknown>,
  end: () => Promise<void>,
): void {
  const server = createServer((socket) => {
    let last: Promise<void> = Promise.resolve()
    createInterface({ input: socket }).on('line', (line) => {
      last = last.then(async () => {
        const answer = await perform(JSON.parse(line)).then(
          (done) => ({ done: done ?? {} }),
          ({ message, code }) => ({ failed: { message, code } }),
        )
        socket.write(`${JSON.stringify(answer)}\n`)
      })
    })
  })
  server.listen(process.argv[2], () => process.stdout.write('ready to be asked\n'))
  process.once('SIGTERM', async () => {
    server.close()
    await end()
    process.exit(0)
  })
}
