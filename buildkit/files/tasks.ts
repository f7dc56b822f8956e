/** What threads do to transfer folders. */
export { receivePackets } from './receive/receive.ts'
export { sendPackets } from './send/send.ts'
