/**
 * A worker thread that makes the places in which steps run. It enters new namespaces, mounts the
 * step's root there, and comes back to the host; pid 1 keeps the place alive. All its file work is
 * synchronous, since asynchronous calls are made by threads that have stayed on the host.
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  closeHost,
  type Host,
  makeNetworkNamespace,
  openHost,
  preparePlace,
} from '../process/step-namespaces.ts'
import {
  type CloseRequest,
  type Failed,
  type NetworkMade,
  type NetworkRequest,
  type Prepared,
  type PrepareRequest,
  toPlainError,
  type WorkerSettings,
} from './messages.ts'

const port = parentPort
let host: Host | undefined

port?.on('message', (request: PrepareRequest | NetworkRequest | CloseRequest) => {
  if (request.kind === 'close') {
    if (host !== undefined) closeHost(host)
    process.exit()
  }
  try {
    host ??= openHost(workerData as WorkerSettings)
    if (request.kind === 'prepare') tell(preparePlace(host, request))
    else tell({ kind: 'network', id: request.id, namespace: makeNetworkNamespace(host) })
  } catch (cause) {
    tell({ kind: 'failed', id: request.id, error: toPlainError(cause, 'prepare the step') })
  }
})

function tell(message: Prepared | NetworkMade | Failed): void {
  port?.postMessage(message)
}
