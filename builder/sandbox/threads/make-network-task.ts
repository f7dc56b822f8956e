import { makeNetworkNamespace } from '../process/step-namespaces.ts'
import { threadPreparer } from './thread-preparer.ts'

/** Makes a network namespace in which only loopback works. @returns its descriptor */
export function makeNetwork(): number {
  return makeNetworkNamespace(threadPreparer())
}
