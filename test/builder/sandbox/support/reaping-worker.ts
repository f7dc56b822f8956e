/** A thread that waits for the child that it is given, and says how that ended. */
import { parentPort, workerData } from 'node:worker_threads'
import { hasEnded, waitForExit } from '#builder/linux'
import { endSignals } from '../../../../builder/sandbox/children/shared-child.ts'

parentPort?.postMessage('started')
while (!hasEnded(workerData.pid));
endSignals(workerData)
parentPort?.postMessage(waitForExit(workerData.pid))
