/** A container in a network, as others find it. */
export interface NamedEndpoint {
  /** What it is called: the first is the one that its address is said to have. */
  readonly names: readonly string[]
  readonly version4?: string | undefined
  readonly version6?: string | undefined
}

/** The addresses of a name, of each version. */
export interface NamedAddresses {
  readonly version4: readonly string[]
  readonly version6: readonly string[]
}

/** The names of one network. Several containers may have the same one. */
export class NameTable {
  readonly #endpoints = new Map<string, Set<NamedEndpoint>>()
  readonly #byAddress = new Map<string, NamedEndpoint>()
  #turn = 0

  /** Adds a container until it is disposed of. */
  add(endpoint: NamedEndpoint): Disposable {
    const keys = new Set(endpoint.names.map(keyOf))
    for (const key of keys) {
      const others = this.#endpoints.get(key)
      if (others === undefined) this.#endpoints.set(key, new Set([endpoint]))
      else others.add(endpoint)
    }
    const addresses = [endpoint.version4, endpoint.version6].filter((text) => text !== undefined)
    for (const address of addresses) this.#byAddress.set(address, endpoint)
    return {
      [Symbol.dispose]: () => {
        for (const key of keys) this.#remove(key, endpoint)
        for (const address of addresses) this.#byAddress.delete(address)
      },
    }
  }

  #remove(key: string, endpoint: NamedEndpoint): void {
    const all = this.#endpoints.get(key)
    all?.delete(endpoint)
    if (all?.size === 0) this.#endpoints.delete(key)
  }

  /** Where a name leads, each time another address first; `undefined` for one that nothing has. */
  find(name: string): NamedAddresses | undefined {
    const found = this.#endpoints.get(keyOf(name))
    if (found === undefined) return undefined
    const all = [...found]
    const start = this.#turn++ % all.length
    const turned = [...all.slice(start), ...all.slice(0, start)]
    return {
      version4: turned.flatMap(({ version4 }) => version4 ?? []),
      version6: turned.flatMap(({ version6 }) => version6 ?? []),
    }
  }

  /** What has an address is called; `undefined` when nothing has it. */
  nameOf(address: string): string | undefined {
    return this.#byAddress.get(address)?.names[0]
  }
}

/** Names are the same in both cases. */
function keyOf(name: string): string {
  return name.toLowerCase()
}
