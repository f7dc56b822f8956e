/**
 * A worker thread that makes the places in which steps run. It enters new namespaces, mounts the
 * step's root there, and comes back to the host; pid 1 keeps the place alive. All its file work is
 * synchronous, since asynchronous calls are made by threads that have stayed on the host.
 */
import { parentPort, workerData } from 'node:worker_threads'
import {
  type CloseRequest,
  type Failed,
  type Gone,
  type Prepared,
  type PrepareRequest,
  toPlainError,
  type WorkerSettings,
} from './messages.ts'
import { closeHost, type Host, openHost, preparePlace, type StepPlace } from './step-place.ts'

const port = parentPort
let host: Host | undefined

port?.on('message', (request: PrepareRequest | CloseRequest) => {
  if (request.kind === 'close') {
    if (host !== undefined) closeHost(host)
    process.exit()
  }
  const place: StepPlace = { child: undefined, cleanUp: () => {} }
  try {
    host ??= openHost(workerData as WorkerSettings)
    const prepared = preparePlace(host, request, place)
    place.child?.once('exit', () => {
      tell(cleanedUp(place, request.id) ?? { kind: 'gone', id: request.id })
    })
    tell(prepared)
  } catch (cause) {
    const failed = failure(request.id, cause)
    const { child } = place
    if (child?.pid === undefined) tell(failed)
    else {
      child.once('exit', () => {
        cleanedUp(place, request.id)
        tell(failed)
      })
    }
  }
})

function cleanedUp(place: StepPlace, id: number): Failed | undefined {
  try {
    place.cleanUp()
    return undefined
  } catch (cause) {
    return failure(id, cause)
  }
}

function failure(id: number, cause: unknown): Failed {
  return { kind: 'failed', id, error: toPlainError(cause, 'prepare the step') }
}

function tell(message: Prepared | Gone | Failed): void {
  port?.postMessage(message)
}
