import type { EndpointSpec, NetworkSpec, PublishedPort } from '#builder/network'
import { type Lab, type LabHost, LabProgram } from '../../../support/networks/index.ts'
import type { Asked } from './containers-process.ts'

const PROCESS = new URL('./containers-process.js', import.meta.url)

/** A container of a test: the path of its network. */
export type LabContainer = LabHost

/** A process with networks of containers, on the host of a lab. */
export class ContainerLab implements AsyncDisposable {
  readonly #program: LabProgram<Asked>

  private constructor(program: LabProgram<Asked>) {
    this.#program = program
  }

  /** @param prefix words in front of the command, by which another user runs it */
  static async start(lab: Lab, prefix: readonly string[] = []): Promise<ContainerLab> {
    return new ContainerLab(await LabProgram.start<Asked>(lab, PROCESS, prefix))
  }

  get pid(): number {
    return this.#program.pid
  }

  /** @throws {Error} with the message and code of what went wrong */
  ask(asked: Asked): Promise<unknown> {
    return this.#program.ask(asked)
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
  kill(): Promise<void> {
    return this.#program.kill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]()
  }
}

let last = 0

function hardwareAddress(): string {
  last++
  return `02:42:00:00:${hex(last >> 8)}:${hex(last & 0xff)}`
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
