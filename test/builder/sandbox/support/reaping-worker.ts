/** A thread that waits for the child that it is given, and says how that ended. */
import { parentPort, workerData } from 'node:worker_threads'
import { reapChild } from '../../../../builder/sandbox/process/shared-child.ts'

parentPort?.postMessage('started')
parentPort?.postMessage(reapChild(workerData))
