import { once } from 'node:events'
import { chmodSync, mkdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { EndpointSpec, NetworkSpec, PublishedPort } from '#builder/network'
import type { Lab, LabHost } from '../../../support/networks/index.ts'
import type { Asked } from './containers-process.ts'

const PROCESS = fileURLToPath(new URL('./containers-process.js', import.meta.url))
const WORKERS = fileURLToPath(
  new URL('../../../support/published-workers/index.js', import.meta.url),
)

/** A container of a test: the path of its network. */
export type LabContainer = LabHost

/** A process with networks of containers, on the host of a lab. */
export class ContainerLab implements AsyncDisposable {
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
  static async start(lab: Lab, prefix: readonly string[] = []): Promise<ContainerLab> {
    const folder = lab.directory.file(`engine-${count++}`)
    mkdirSync(folder)
    // Whoever it is.
    chmodSync(folder, 0o777)
    const path = `${folder}/socket`
    const words = [...prefix, process.execPath, '--import', WORKERS, PROCESS, path]
    const daemon = await lab.start('host', words)
    const socket = connect(path)
    await once(socket, 'connect')
    return new ContainerLab(daemon, socket)
  }

  /** @throws {Error} with the message and code of what went wrong */
  async ask(asked: Asked): Promise<unknown> {
    this.#socket.write(`${JSON.stringify(asked)}\n`)
    const { value } = await this.#answers.next()
    const { done, failed } = JSON.parse(value)
    if (failed !== undefined) throw Object.assign(new Error(failed.message), { code: failed.code })
    return done
  }

  /** Makes a network of which only the differences are said. */
  async network(
    name: string,
    subnets: readonly string[],
    more: Partial<NetworkSpec> = {},
  ): Promise<void> {
    const spec: NetworkSpec = {
      ...{ key: `key-of-${name}`, name },
      subnets: subnets.map((subnet) => ({
        subnet,
        gateway: subnet.replace(/(\.0|:)\/\d+$/, (_, end) => (end === ':' ? ':1' : '.1')),
      })),
      ...{ reach: 'world', peers: 'reached', translation: 'masquerade' },
      ...more,
    }
    await this.ask({ ask: 'network', spec })
  }

  /** Makes a container in a network, which it leaves by that. */
  async container(
    name: string,
    network: string,
    endpoint: Partial<EndpointSpec>,
  ): Promise<LabContainer> {
    const path = await this.place(name)
    await this.join(name, network, endpoint)
    await this.ask({ ask: 'route', place: name, network })
    return path
  }

  async place(name: string, servers: readonly string[] = []): Promise<LabContainer> {
    return (await this.ask({ ask: 'place', place: name, servers })) as LabContainer
  }

  async join(place: string, network: string, endpoint: Partial<EndpointSpec>): Promise<void> {
    const whole = { hardwareAddress: hardwareAddress(), names: [place], ...endpoint }
    await this.ask({ ask: 'connect', place, network, endpoint: whole })
  }

  /** Publishes a port of a container at a port of the host. */
  async publish(
    place: string,
    [protocol, port, hostPort, hostAddress = '']: readonly [
      'tcp' | 'udp' | 'sctp',
      number,
      number?,
      string?,
    ],
    target: { readonly version4?: string; readonly version6?: string },
  ): Promise<readonly PublishedPort[]> {
    const hostPorts = hostPort === undefined ? undefined : ([hostPort, hostPort] as const)
    const bindings = [{ protocol, port, hostAddress, hostPorts }]
    const { version4, version6 } = target
    return (await this.ask({
      ask: 'publish',
      place,
      bindings,
      target: { version4, version6 },
    })) as readonly PublishedPort[]
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
let last = 0

function hardwareAddress(): string {
  last++
  return `02:42:00:00:${hex(last >> 8)}:${hex(last & 0xff)}`
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
