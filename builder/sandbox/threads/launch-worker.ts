/**
 * A worker thread that starts the processes of steps, one at a time, in the places that were made
 * for them, and takes the place down afterwards. It stays on the host: what it starts goes to the step's
 * namespaces by itself.
 */
import { closeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { closeNamespaces } from '#builder/linux'
import { endInit } from '../process/init-process.ts'
import { becomeLauncher, type Launcher, runInPlace } from '../process/step-process.ts'
import { removeStubs } from '../root/stubs.ts'
import {
  type CloseRequest,
  type Ended,
  type Failed,
  type Launched,
  type LauncherSettings,
  type LaunchRequest,
  type Prepared,
  toPlainError,
} from './messages.ts'

const port = parentPort
let launcher: Launcher | undefined

port?.on('message', (request: LaunchRequest | CloseRequest) => {
  if (request.kind === 'close') process.exit()
  tell(serve(request))
})

// At once, so that the first step need not wait for it. What goes wrong is told when a step asks.
try {
  launcher = becomeLauncher(workerData as LauncherSettings)
} catch {
  launcher = undefined
}

function serve(request: LaunchRequest): Ended | Failed {
  const { id, place } = request
  let outcome: Ended | Failed
  try {
    launcher ??= becomeLauncher(workerData as LauncherSettings)
    const end = runInPlace(launcher, request, (output) => tell({ kind: 'launched', id, ...output }))
    outcome = { kind: 'ended', id, ...end }
  } catch (cause) {
    outcome = { kind: 'failed', id, error: toPlainError(cause, 'start the step') }
  }
  try {
    releasePlace(place)
    return outcome
  } catch (cause) {
    return { kind: 'failed', id, error: toPlainError(cause, 'end the step') }
  }
}

/** Nothing may hold the mounts of the step when pid 1 has ended: then they are gone. */
function releasePlace(place: Prepared): void {
  closeNamespaces(place.namespaces)
  for (const descriptor of [place.root, place.cwd, place.input]) closeSync(descriptor)
  endInit({ pid: place.init, control: place.control })
  removeStubs(place.stubs)
}

function tell(message: Launched | Ended | Failed): void {
  port?.postMessage(message)
}
