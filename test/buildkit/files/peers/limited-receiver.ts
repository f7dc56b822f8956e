/** A process with few rights that receives folders. */
import { FolderTransfers } from '#buildkit/files'
import { TsbuildError } from '#core'
import { answer, becomeUser } from '../../../support/rights/index.ts'
import { data, END, entry, FIN, file, follow, type Step } from './scripted-peer.ts'
import { GO_DEVICE, GO_FOLDER, GO_LINK } from './sending-peer.ts'
import { StreamPair } from './stream-pair.ts'

/** A file of three bytes, a folder, a link or a device. */
export interface LimitedEntry {
  readonly path: string
  readonly kind: 'file' | 'folder' | 'link' | 'device'
  readonly mode: number
}

/** What is asked of the process. */
export interface LimitedQuestion {
  readonly ours: string
  readonly entries: readonly LimitedEntry[]
  /** How many files are asked for. */
  readonly requests: number
}

const transfers = new FolderTransfers()

async function receive({ ours, entries, requests }: LimitedQuestion): Promise<unknown> {
  const pair = new StreamPair()
  const steps: Step[] = [...entries.map(stepOf), END]
  for (let count = 0; count < requests; count++) steps.push('request')
  for (const [id, { kind }] of entries.entries()) {
    if (kind === 'file' && requests > 0) steps.push(data(id, 'abc'), data(id, ''))
  }
  const [heard, received] = await Promise.allSettled([
    follow(pair.theirs, [...steps, 'finish', FIN]),
    transfers.receiveFolder(pair.ours, ours),
  ])
  if (received.status === 'rejected') {
    return received.reason instanceof TsbuildError ? received.reason.code : `${received.reason}`
  }
  return heard.status === 'fulfilled' ? heard.value.requested : `${heard.reason}`
}

function stepOf({ path, kind, mode }: LimitedEntry): Step {
  if (kind === 'file') return file(path, 3, { mode: goMode(mode) })
  if (kind === 'folder') return entry(path, { mode: GO_FOLDER + mode })
  if (kind === 'device') return entry(path, { mode: GO_DEVICE + mode, devmajor: 7, devminor: 7 })
  return entry(path, { mode: GO_LINK + mode, linkname: 'x' as never })
}

function goMode(mode: number): number {
  return (mode & 0o777) + ((mode & 0o4000) === 0 ? 0 : 0x0080_0000)
}

// It reads its program first, which that user may not.
await receive({ ours: '/dev/null/none', entries: [], requests: 0 })
becomeUser(process.argv[2])
await answer(receive)
