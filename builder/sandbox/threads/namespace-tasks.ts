/** The tasks of the thread that prepares steps. Descriptors in their results belong to the receiver. */
export { makeNetwork } from './make-network-task.ts'
export { prepare } from './prepare-task.ts'
