import type { FolderTransfers } from '#buildkit/files'
import type { Session } from '#buildkit/session'
import type { Store } from '#cache'
import { type JsonObject, Resources } from '#core'
import { type FolderRequest, folderMetadata } from './folder-metadata.ts'

const METHOD = '/moby.filesync.v1.FileSync/DiffCopy'

/** How a transfer goes on. */
export interface FolderOptions {
  readonly signal: AbortSignal
  /** Gets how many bytes have come. */
  readonly onProgress: (bytes: number) => void
}

/**
 * Folders of a client on this machine, for one build. What an earlier build of the same folder has left is brought up to
 * date, so that only what has changed is sent. A folder is this build's alone until it is disposed of.
 */
export class ClientFolders implements AsyncDisposable {
  readonly #store: Store
  readonly #transfers: FolderTransfers
  readonly #held = new Resources()

  constructor(store: Store, transfers: FolderTransfers) {
    this.#store = store
    this.#transfers = transfers
  }

  /**
   * Brings a folder here.
   * @param session whose folder it is
   * @param hint tells folders apart that a client has under one name
   * @returns where it is
   * @throws {TsbuildError} as the client answers, or breaks the rules; CANCELLED
   */
  async receive(
    session: Session,
    request: FolderRequest & { readonly hint: string },
    { signal, onProgress }: FolderOptions,
  ): Promise<string> {
    const { name, hint } = request
    const identity: JsonObject = { clientFolder: name, hint, key: keyOf(session) }
    const mount = {
      ...{ identity, label: `the folder ${name} of a client`, sharing: 'private' as const },
      fill: async () => undefined,
    }
    const opened = await this.#store.mounts.open([mount], { signal })
    this.#held.use(opened)
    const [folder = ''] = opened.paths
    const stream = session.open(METHOD, { metadata: folderMetadata(request), signal })
    await this.#transfers.receiveFolder(stream, folder, { signal, onProgress })
    return folder
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held[Symbol.asyncDispose]()
  }
}

/** What sessions for the same folder have in common; else nothing of it is kept for another one. */
function keyOf({ sharedKey, id }: Pick<Session, 'sharedKey' | 'id'>): string {
  return sharedKey === '' ? `session ${id}` : `shared ${sharedKey}`
}
