/**
 * A builder that does nothing but open a hub and make networks, as many as its argument says, in the network
 * that it is started in. Says `ready` with a JSON document `HubFacts`, and closes the hub when it is asked to
 * end.
 */
import { openSync } from 'node:fs'
import { Hub } from '#builder/network'

/** What a test needs to know of it. */
export interface HubFacts {
  /** Paths of network namespaces. */
  readonly hub: `/proc/${string}`
  readonly steps: readonly `/proc/${string}`[]
  readonly nameservers: readonly string[]
}

const hub = new Hub(openSync('/proc/self/ns/net', 'r'))
const steps = Array.from({ length: Number(process.argv[2] ?? 1) }, (_, number) =>
  hub.makeNetwork(number),
)
const path = (descriptor: number) => `/proc/${process.pid}/fd/${descriptor}` as const
const facts: HubFacts = {
  hub: path(hub.resolver.namespace),
  steps: steps.map(({ namespace }) => path(namespace)),
  nameservers: hub.resolver.addresses,
}
process.stdout.write(`ready ${JSON.stringify(facts)}\n`)
process.once('SIGTERM', () => {
  hub[Symbol.dispose]()
  process.exit(0)
})
setInterval(() => undefined, 1 << 30)
