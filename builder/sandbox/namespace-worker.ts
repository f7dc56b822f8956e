/**
 * A worker thread that makes the places in which steps run. It enters new namespaces, mounts the
 * step's root there, and comes back to the host; pid 1 keeps the place alive. All its file work is
 * synchronous, since asynchronous calls are made by threads that have stayed on the host.
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  type CloseRequest,
  type Failed,
  type Prepared,
  type PrepareRequest,
  type ReleaseRequest,
  toPlainError,
  type WorkerSettings,
} from './messages.ts'
import { closeHost, type Host, openHost, preparePlace } from './step-place.ts'

const port = parentPort
let host: Host | undefined

port?.on('message', (request: PrepareRequest | ReleaseRequest | CloseRequest) => {
  if (request.kind === 'close') {
    if (host !== undefined) closeHost(host)
    process.exit()
  }
  if (request.kind === 'release') {
    host?.networks?.giveBack(request.network)
    return
  }
  try {
    host ??= openHost(workerData as WorkerSettings)
    tell(preparePlace(host, request))
  } catch (cause) {
    tell({ kind: 'failed', id: request.id, error: toPlainError(cause, 'prepare the step') })
  }
})

function tell(message: Prepared | Failed): void {
  port?.postMessage(message)
}
