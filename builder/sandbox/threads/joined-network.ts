import { closeSync } from 'node:fs'
import { duplicate } from '#builder/linux'
import type { NetworkSource, StepNetwork } from '#builder/network'
import type { MadeNetwork, NamespaceHolder } from '../spec/namespace-holder.ts'

/** A network that others have made, for processes that join it. */
export function joinedNetwork(joined: MadeNetwork | NamespaceHolder): NetworkSource {
  const take = async (): Promise<StepNetwork> => ({
    namespace: 'namespace' in joined ? duplicate(joined.namespace) : joined.openNamespace('net'),
    nameservers: [],
  })
  return {
    take,
    upcoming: (current) => Promise.resolve(current),
    giveBack: ({ namespace }) => closeSync(namespace),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
