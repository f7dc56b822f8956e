import { readFileSync } from 'node:fs'

/** Ports that a host gives to those who ask for none. Spec: the kernel's ip-sysctl.rst */
function localPortRange(): readonly [first: number, last: number] {
  const [first = 0, last = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1')
    .trim()
    .split(/\s+/)
    .map(Number)
  return [first, last]
}

/** Ports one after the other, beginning behind the last one that was given; and those that nothing listens on. */
export class PortChooser {
  readonly #taken = new Set<string>()
  #last = 0

  /**
   * Takes a port that no socket of this process has, of a protocol that the kernel need not know.
   * @throws {Error} EADDRINUSE
   */
  take(name: string): Disposable {
    if (this.#taken.has(name)) throw Object.assign(new Error(name), { code: 'EADDRINUSE' })
    this.#taken.add(name)
    return { [Symbol.dispose]: () => void this.#taken.delete(name) }
  }

  /** All ports that a host gives, each once. */
  *candidates(): Generator<number, void> {
    const [first, last] = localPortRange()
    const count = last - first + 1
    for (let turn = 0; turn < count; turn++) {
      this.#last = this.#last < first || this.#last >= last ? first : this.#last + 1
      yield this.#last
    }
  }
}

/** The ports from the first to the last. */
export function* portsBetween([first, last]: readonly [number, number]): Generator<number, void> {
  for (let port = first; port <= last; port++) yield port
}
