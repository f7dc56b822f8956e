/**
 * What a step, and later a container, has as its network: a namespace that something outside connects to
 * the world. How it is connected depends on the rights of the builder: through a namespace of its own
 * (`hub`), or by a program.
 */

/** The network of one step. Data: it can be posted to a thread. */
export interface StepNetwork {
  /** Descriptor of its namespace; loopback is up. */
  readonly namespace: number
  /** The addresses that its resolv.conf names, and no others. */
  readonly nameservers: readonly string[]
}

/** Networks for steps, each for one step at a time. Disposing releases all of them. */
export interface NetworkSource extends AsyncDisposable {
  /**
   * A network until it is given back.
   * @throws {TsbuildError} SANDBOX_UNAVAILABLE where none can be made
   */
  take(): Promise<StepNetwork>
  /**
   * The network that will probably be taken when the one of a running step has been given back; made ready
   * where that is another one.
   */
  upcoming(current: StepNetwork): Promise<StepNetwork>
  /** Returns a network that a step has used; what becomes of it is up to the source. */
  giveBack(network: StepNetwork): void
}

/** Where the resolver that steps ask has to listen, UDP and TCP, port 53. */
export interface ResolverPlace {
  /** Descriptor of the network namespace in which its sockets are made. It asks others from the host's. */
  readonly namespace: number
  /** The addresses to listen on: IPv4 always, IPv6 where steps have it. */
  readonly addresses: readonly string[]
}
