/** A process that receives a folder, with its sender in itself. Its words are both folders. */
import { FolderTransfers } from '#buildkit/files'
import { sendAsClient } from './sending-peer.ts'
import { StreamPair } from './stream-pair.ts'

const [, , theirs = '', ours = ''] = process.argv
const { ours: stream, theirs: peer } = new StreamPair()
await Promise.all([sendAsClient(peer, theirs), new FolderTransfers().receiveFolder(stream, ours)])
