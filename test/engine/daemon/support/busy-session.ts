import { ask } from '../../support/socket-http.ts'

/** What a client was told of something it made: what must be there after a crash. */
export type Known = 'absent' | 'created' | 'running' | 'exited' | 'unsure'

/** What the clients of a session have made, by name, and what the daemon refused, which is nothing. */
export interface Expected {
  readonly containers: Map<string, Known>
  readonly volumes: Map<string, Known>
  readonly networks: Map<string, Known>
  readonly refusals: string[]
}

/** How a session is played. */
export interface SessionOptions {
  readonly socket: string
  readonly random: () => number
  /** A word in the command line of every container. */
  readonly token: string
  /** Tells the sessions of one place apart. */
  readonly prefix: string
}

/** Several clients at once, each with things of its own, until their daemon is gone. */
export async function playBusily(options: SessionOptions): Promise<Expected> {
  const expected: Expected = {
    ...{ containers: new Map(), volumes: new Map(), networks: new Map() },
    refusals: [],
  }
  const clients = Array.from({ length: 4 }, (_, index) =>
    new Client(options, expected, `${options.prefix}-${index}`).play(),
  )
  await Promise.all(clients)
  return expected
}

class Client {
  readonly #options: SessionOptions
  readonly #expected: Expected
  readonly #name: string
  #count = 0

  constructor(options: SessionOptions, expected: Expected, name: string) {
    this.#options = options
    this.#expected = expected
    this.#name = name
  }

  async play(): Promise<void> {
    try {
      for (;;) await this.#turn()
    } catch {
      // The daemon is gone.
    }
  }

  async #turn(): Promise<void> {
    const { random } = this.#options
    const name = `${this.#name}-${this.#count++}`
    const kind = random()
    if (kind < 0.15) await this.#volume(name)
    else if (kind < 0.25) await this.#network(name)
    else await this.#container(name)
  }

  async #container(name: string): Promise<void> {
    const { random, token } = this.#options
    const { containers } = this.#expected
    const body = {
      ...{ Image: 'busybox', Cmd: ['sleep', token] },
      HostConfig: { Binds: [`${name}-data:/data`] },
    }
    const path = `/containers/${name}`
    const step = async (
      to: Known,
      method: string,
      place: string,
      send?: unknown,
    ): Promise<void> => {
      containers.set(name, 'unsure')
      await this.#send(method, place, send)
      containers.set(name, to)
    }
    await step('created', 'POST', `/containers/create?name=${name}`, body)
    if (random() < 0.2) return
    await step('running', 'POST', `${path}/start`)
    if (random() < 0.3) return
    if (random() < 0.5) await step('exited', 'POST', `${path}/kill`)
    if (random() < 0.7) await step('absent', 'DELETE', `${path}?force=1&v=1`)
  }

  async #volume(name: string): Promise<void> {
    const { volumes } = this.#expected
    volumes.set(name, 'unsure')
    await this.#send('POST', '/volumes/create', { Name: name })
    volumes.set(name, 'created')
    if (this.#options.random() < 0.5) return
    volumes.set(name, 'unsure')
    await this.#send('DELETE', `/volumes/${name}`)
    volumes.set(name, 'absent')
  }

  async #network(name: string): Promise<void> {
    const { networks } = this.#expected
    networks.set(name, 'unsure')
    await this.#send('POST', '/networks/create', { Name: name })
    networks.set(name, 'created')
    if (this.#options.random() < 0.7) {
      networks.set(name, 'unsure')
      await this.#send('DELETE', `/networks/${name}`)
      networks.set(name, 'absent')
    }
  }

  /** @throws where the daemon is gone */
  async #send(method: string, path: string, body?: unknown): Promise<void> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const answer = await ask(this.#options.socket, method, path, text)
    if (answer.status < 300) return
    this.#expected.refusals.push(`${method} ${path}: ${answer.status} ${answer.body}`)
  }
}
