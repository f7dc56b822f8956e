import { once } from 'node:events'
import { chmodSync, mkdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { CreateBody } from '#engine/model'
import { type Lab, type LabHost, startLab } from '../../../support/networks/index.ts'
import type { Asked } from './networks-process.ts'

const PROCESS = fileURLToPath(new URL('./networks-process.js', import.meta.url))
const WORKERS = fileURLToPath(
  new URL('../../../support/published-workers/index.js', import.meta.url),
)

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
  readonly #socket: Socket
  readonly #answers: AsyncIterator<string>

  private constructor(lab: Lab, socket: Socket) {
    this.lab = lab
    this.#socket = socket
    this.#answers = createInterface({ input: socket })[Symbol.asyncIterator]()
  }

  static async start(): Promise<NetworksLab> {
    const lab = await startLab()
    const folder = lab.directory.file('engine')
    mkdirSync(folder)
    chmodSync(folder, 0o755)
    const path = `${folder}/socket`
    await lab.start('host', [process.execPath, '--import', WORKERS, PROCESS, path])
    const socket = connect(path)
    await once(socket, 'connect')
    return new NetworksLab(lab, socket)
  }

  /** @throws {Error} with the message and code of what went wrong */
  async ask(asked: Asked): Promise<unknown> {
    this.#socket.write(`${JSON.stringify(asked)}\n`)
    const { value } = await this.#answers.next()
    const { done, failed } = JSON.parse(value)
    if (failed !== undefined) throw Object.assign(new Error(failed.message), { code: failed.code })
    return done
  }

  /** @returns the path of its network */
  async run(name: string, body: CreateBody = {}): Promise<LabHost> {
    return (await this.ask({ ask: 'run', name, body })) as LabHost
  }

  async look(name: string): Promise<Look> {
    return (await this.ask({ ask: 'look', name })) as Look
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await this.lab[Symbol.asyncDispose]()
  }
}
