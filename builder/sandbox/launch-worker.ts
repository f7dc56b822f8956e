/**
 * A worker thread that starts the processes of steps in the places that were made for them. It has
 * given up, once and for good, what no step may do, and passes that on to all that it starts.
 */
import { constants } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import {
  type CloseRequest,
  type Exited,
  type Failed,
  type Launched,
  type LaunchRequest,
  toPlainError,
  type WorkerSettings,
} from './messages.ts'
import { becomeLauncher, closeLauncher, type Launcher, launch } from './step-process.ts'

const port = parentPort
let launcher: Launcher | undefined

port?.on('message', (request: LaunchRequest | CloseRequest) => {
  if (request.kind === 'close') {
    if (launcher !== undefined) closeLauncher(launcher)
    process.exit()
  }
  const { id } = request
  try {
    launcher ??= becomeLauncher(workerData as WorkerSettings)
    const { child, stdout, stderr } = launch(launcher, request)
    child.once('exit', (code, signal) => {
      const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
      tell({ kind: 'exited', id, exitCode, signal: signal ?? undefined })
    })
    tell({ kind: 'launched', id, stdout, stderr })
  } catch (cause) {
    tell({ kind: 'failed', id, error: toPlainError(cause, 'start the step') })
  }
})

function tell(message: Launched | Exited | Failed): void {
  port?.postMessage(message)
}
