import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Passes bytes on between a client and a registry, and breaks connections. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server
  readonly #sockets = new Set<Socket>()
  /** Bytes to and from the registry after which each next connection breaks, the first one's first. */
  cuts: { readonly up?: number; readonly down?: number }[] = []

  private constructor(target: string) {
    const [host = '', port = ''] = target.split(':')
    this.#server = createServer((client) => this.#serve(client, connect(Number(port), host)))
  }

  static async start(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Of each connection: bytes to the registry and from it. */
  readonly passed: { up: number; down: number }[] = []

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(client: Socket, registry: Socket): void {
    const count = { up: 0, down: 0 }
    this.passed.push(count)
    const end = (): void => {
      client.destroy()
      registry.destroy()
    }
    for (const socket of [client, registry]) {
      this.#sockets.add(socket)
      socket.on('error', end)
      socket.on('close', end)
    }
    this.#pass(client, registry, (size) => {
      count.up += size
      return this.#isCut('up', count.up)
    })
    this.#pass(registry, client, (size) => {
      count.down += size
      return this.#isCut('down', count.down)
    })
  }

  #pass(from: Socket, to: Socket, isCut: (size: number) => boolean): void {
    from.on('data', (chunk) => {
      const isLast = isCut(chunk.length)
      if (!to.write(chunk, () => isLast && from.resetAndDestroy())) from.pause()
    })
    to.on('drain', () => from.resume())
  }

  #isCut(way: 'up' | 'down', size: number): boolean {
    const limit = this.cuts[0]?.[way]
    if (limit === undefined || size < limit) return false
    this.cuts.shift()
    return true
  }
}
