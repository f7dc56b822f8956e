import type { CreateBody } from '#engine/model'
import { type Lab, type LabHost, LabProgram, startLab } from '../../../support/networks/index.ts'
import type { Asked } from './networks-process.ts'

const PROCESS = new URL('./networks-process.js', import.meta.url)

/** How a container is in a network. */
export interface Settings {
  readonly NetworkID: string
  readonly EndpointID: string
  readonly IPAddress: string
  readonly IPPrefixLen: number
  readonly Gateway: string
  readonly MacAddress: string
  readonly GlobalIPv6Address: string
  readonly GlobalIPv6PrefixLen: number
  readonly IPv6Gateway: string
  readonly DNSNames: readonly string[] | null
  readonly Aliases: readonly string[] | null
}

/** What an engine says of a container. */
export interface Look {
  readonly id: string
  readonly hosts: string
  readonly resolvConf: string
  readonly variables: readonly string[]
  readonly settings: {
    readonly SandboxKey: string
    readonly Ports: Readonly<
      Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>
    >
    readonly Networks: Readonly<Record<string, Settings>>
  }
  readonly former: Readonly<Record<string, unknown>>
}

/** An engine with networks on the host of a lab. */
export class NetworksLab implements AsyncDisposable {
  readonly lab: Lab
  readonly #program: LabProgram<Asked>

  private constructor(lab: Lab, program: LabProgram<Asked>) {
    this.lab = lab
    this.#program = program
  }

  static async start(): Promise<NetworksLab> {
    const lab = await startLab()
    return new NetworksLab(lab, await LabProgram.start<Asked>(lab, PROCESS))
  }

  /** @throws {Error} with the message and code of what went wrong */
  ask(asked: Asked): Promise<unknown> {
    return this.#program.ask(asked)
  }

  /** @returns the path of its network */
  async run(name: string, body: CreateBody = {}): Promise<LabHost> {
    return (await this.ask({ ask: 'run', name, body })) as LabHost
  }

  async look(name: string): Promise<Look> {
    return (await this.ask({ ask: 'look', name })) as Look
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]()
    await this.lab[Symbol.asyncDispose]()
  }
}
