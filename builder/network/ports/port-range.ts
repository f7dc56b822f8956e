import { readFileSync } from 'node:fs'

/** Ports that a host gives to those who ask for none. Spec: the kernel's ip-sysctl.rst */
function localPortRange(): readonly [first: number, last: number] {
  const [first = 0, last = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1')
    .trim()
    .split(/\s+/)
    .map(Number)
  return [first, last]
}

/** A port of the host. */
export interface HostPort {
  readonly protocol: string
  readonly hostAddress: string
  readonly hostPort: number
}

/** Ports one after the other, beginning behind the last one that was given; and those that are given already. */
export class PortChooser {
  readonly #taken = new Set<HostPort>()
  readonly #last = new Map<string, number>()

  /** Takes a port until it is disposed of; `undefined` when another one is the same, or is one of its addresses. */
  take(port: HostPort): Disposable | undefined {
    for (const other of this.#taken) if (isSame(port, other)) return undefined
    this.#taken.add(port)
    return { [Symbol.dispose]: () => void this.#taken.delete(port) }
  }

  /** All ports that a host gives for a protocol, each once. */
  *candidates(protocol: string): Generator<number, void> {
    const [first, last] = localPortRange()
    const count = last - first + 1
    for (let turn = 0; turn < count; turn++) {
      const before = this.#last.get(protocol) ?? 0
      const port = before < first || before >= last ? first : before + 1
      this.#last.set(protocol, port)
      yield port
    }
  }
}

/** The ports from the first to the last. */
export function* portsBetween([first, last]: readonly [number, number]): Generator<number, void> {
  for (let port = first; port <= last; port++) yield port
}

function isSame(one: HostPort, other: HostPort): boolean {
  if (one.protocol !== other.protocol || one.hostPort !== other.hostPort) return false
  const [first, second] = [one.hostAddress, other.hostAddress]
  if (first.includes(':') !== second.includes(':')) return false
  return first === second || ALL_ADDRESSES.has(first) || ALL_ADDRESSES.has(second)
}

const ALL_ADDRESSES: ReadonlySet<string> = new Set(['0.0.0.0', '::'])
