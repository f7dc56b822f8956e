const PROTOCOLS = new Set(['tcp', 'udp', 'sctp'])

/** The parts of a port of EXPOSE. */
export interface WrittenPort {
  /** Address and port of the host, with the colons behind them; empty without. */
  readonly host: string
  /** As written; `tcp` without. */
  readonly protocol: string
}

/** Splits `[address:][host port:]port[/protocol]`. */
export function splitPort(port: string): WrittenPort {
  const container = port.slice(port.lastIndexOf(':') + 1)
  const [, protocol = 'tcp'] = container.split(/\/(.*)/s)
  return { host: port.slice(0, port.length - container.length), protocol }
}

/** False for a protocol that a build refuses. */
export function isProtocol(protocol: string): boolean {
  return PROTOCOLS.has(protocol.toLowerCase())
}
