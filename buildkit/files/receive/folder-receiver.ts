import type { Buffer } from 'node:buffer'
import { closeSync, constants, readlinkSync } from 'node:fs'
import { deviceNumbers } from '#builder/linux'
import { type Draft, type FileStat, PACKET, type Packet } from '#buildkit/messages'
import { checkpoint, ioError, type Name } from '#core'
import { PACKET_TYPE } from '../packets/packet-stream.ts'
import { peerError, protocolError, quotePath } from '../packets/transfer-error.ts'
import { FolderDisk } from './folder-disk.ts'
import type { MemoryBound } from './memory-bound.ts'
import { type FoundFile, OpenFolders } from './open-folders.ts'
import { entryError, type ReceivedEntry, receivedEntry } from './received-entry.ts'
import { RequestedFiles } from './requested-files.ts'

/** Bytes that a file takes in mind besides its path. */
const FILE_BYTES = 128
/** The same for a hard link that is to be made. */
const LINK_BYTES = 256
/** Files of one transfer are numbered in 32 bits. */
const MOST_ENTRIES = 2 ** 32

/** What a receiver needs. */
export interface ReceiverOptions {
  /** Tells the peer something, without waiting for it. */
  readonly send: (packet: Draft<Packet>) => void
  readonly bound: MemoryBound
}

/**
 * The receiving end of a transfer: takes packets, asks for what differs, and makes the folder what the peer's is. What is
 * there may come from a transfer that was killed: only what is on the disk is compared.
 * Spec: fsutil, receive.go and diff_containerd.go
 */
export class FolderReceiver implements Disposable {
  readonly #send: (packet: Draft<Packet>) => void
  readonly #disk: FolderDisk
  readonly #bound: MemoryBound
  readonly #folders: OpenFolders
  readonly #files: RequestedFiles
  /** Files that were sent as such, to which hard links may lead. */
  readonly #sent = new Set<Name>()
  /** The first name of each file that stays and has several. */
  readonly #firstNames = new Map<string, Name>()
  /** Made when the files are whole. */
  readonly #hardlinks: ReceivedEntry[] = []
  #entries = 0
  #state: 'stats' | 'contents' | 'finished' | 'over' = 'stats'

  /** @param folder which exists. @throws {TsbuildError} IO_FAILED */
  constructor(folder: string, { send, bound }: ReceiverOptions) {
    this.#send = send
    this.#bound = bound
    this.#disk = new FolderDisk(folder)
    this.#files = new RequestedFiles({
      disk: this.#disk,
      bound,
      ask: (ID) => send({ type: PACKET_TYPE.request, ID }),
    })
    this.#folders = new OpenFolders(this.#disk, bound)
  }

  /** All that was wanted has come, and the peer was told so. */
  get isFinished(): boolean {
    return this.#state === 'finished' || this.#state === 'over'
  }

  /** @throws {TsbuildError} */
  take(message: Buffer): void {
    const { type, stat, ID, data } = PACKET.decode(message)
    if (type === PACKET_TYPE.error) throw peerError(data)
    if (this.#state === 'over') throw protocolError('a packet after the end')
    if (type === PACKET_TYPE.stat) {
      if (this.#state !== 'stats') throw protocolError('a file after the last one')
      if (stat === undefined) this.#endStats()
      else this.#takeStat(stat)
    } else if (type === PACKET_TYPE.data) {
      this.#files.take(ID, data)
    } else if (type === PACKET_TYPE.finish) {
      if (this.#state !== 'finished') throw protocolError('it ends before it is complete')
      this.#state = 'over'
    } else throw protocolError(`a packet of type ${type}`)
    if (this.#state === 'contents' && this.#files.isDone) this.#finish()
  }

  /** To be called when no more packets come. @throws {TsbuildError} USAGE before the end */
  end(): void {
    if (this.#state !== 'over') throw protocolError('the stream ends before it is complete')
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]()
    this.#disk[Symbol.dispose]()
  }

  #takeStat(stat: FileStat): void {
    const id = this.#entries++
    if (id >= MOST_ENTRIES) throw protocolError('too many files')
    const entry = receivedEntry(stat)
    const found = this.#folders.enter(entry)
    if (entry.kind === constants.S_IFDIR) this.#folders.open(entry, found)
    else if (entry.kind !== constants.S_IFREG) this.#takeNode(entry, found)
    else if (entry.linkname !== '') this.#takeHardlink(entry, found)
    else this.#takeFile(id, entry, found)
  }

  #takeFile(id: number, entry: ReceivedEntry, found: FoundFile | undefined): void {
    const { path, size } = entry
    this.#bound.add(path.length + FILE_BYTES)
    this.#sent.add(path)
    if (isSame(entry, found) && found.size === size && this.#staysAs(path, found)) return
    this.#folders.clear(path, found)
    if (size === 0) this.#makeEmpty(entry)
    else this.#files.want(id, entry)
  }

  /** Nobody has to be asked for nothing. */
  #makeEmpty(entry: ReceivedEntry): void {
    const descriptor = this.#disk.makeFile(entry.path)
    try {
      this.#disk.finishFile(descriptor, entry)
    } finally {
      closeSync(descriptor)
    }
  }

  /** What was another name of a file that stays has to be a file of its own. */
  #staysAs(path: Name, { inode }: FoundFile): boolean {
    if (inode === '') return true
    if (this.#firstNames.has(inode)) return false
    this.#firstNames.set(inode, path)
    return true
  }

  #takeHardlink(entry: ReceivedEntry, found: FoundFile | undefined): void {
    const { path, linkname } = entry
    if (!this.#sent.has(linkname)) {
      throw entryError(path, `a hard link to ${quotePath(linkname)}, which is no earlier file`)
    }
    if (found !== undefined && this.#firstNames.get(found.inode) === linkname) return
    this.#bound.add(path.length + linkname.length + LINK_BYTES)
    this.#folders.clear(path, found)
    this.#hardlinks.push(entry)
  }

  /** A symbolic link, a pipe or a device. */
  #takeNode(entry: ReceivedEntry, found: FoundFile | undefined): void {
    const isLink = entry.kind === constants.S_IFLNK
    if (isSame(entry, found)) {
      if (isLink ? this.#readLink(entry.path) === entry.linkname : isSameDevice(entry, found))
        return
    }
    this.#folders.clear(entry.path, found)
    if (isLink) this.#disk.makeLink(entry)
    else this.#disk.makeNode(entry)
  }

  #readLink(path: Name): string {
    try {
      return readlinkSync(this.#disk.root.place(path), 'latin1')
    } catch (cause) {
      throw ioError(`read ${quotePath(path)}`, cause)
    }
  }

  #endStats(): void {
    this.#folders.leaveAll()
    this.#state = 'contents'
  }

  #finish(): void {
    for (const { path, linkname } of this.#hardlinks) {
      checkpoint()
      this.#disk.makeHardlink(path, linkname)
    }
    this.#folders.finish()
    this.#state = 'finished'
    this.#send({ type: PACKET_TYPE.finish })
  }
}

/** Links have no mode of their own. */
function isSame(entry: ReceivedEntry, found: FoundFile | undefined): found is FoundFile {
  return (
    found !== undefined &&
    found.kind === entry.kind &&
    (found.mode === entry.mode || entry.kind === constants.S_IFLNK) &&
    found.modTime === entry.modTime
  )
}

function isSameDevice({ kind, major, minor }: ReceivedEntry, { device }: FoundFile): boolean {
  if (kind === constants.S_IFIFO) return true
  const numbers = deviceNumbers(device)
  return numbers.major === major && numbers.minor === minor
}
