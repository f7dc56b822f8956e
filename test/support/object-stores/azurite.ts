import { createRequire } from 'node:module'
import {
  BlobServiceClient,
  type ContainerClient,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { startDaemon, temporaryDirectory } from '../peers/index.ts'

/** Microsoft's emulator of its blob storage, on the loopback. */
export interface Azurite extends AsyncDisposable {
  /** With the account in its path. */
  readonly accountUrl: string
  readonly accountName: string
  readonly accountKey: string
  /** Makes a container, and gives a client that may do everything in it. */
  container(name: string): Promise<ContainerClient>
}

const ACCOUNT = 'tsbuildtest'
const KEY = Buffer.from('the secret of an account of the tests').toString('base64')

export async function startAzurite(): Promise<Azurite> {
  const directory = temporaryDirectory('azurite')
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
  const where = ['--blobHost', '127.0.0.1', '--blobPort', '0', '--inMemoryPersistence']
  const quiet = ['--silent', '--disableTelemetry', '--skipApiVersionCheck']
  const daemon = await startDaemon(process.execPath, [program, ...where, ...quiet], {
    log: directory.file('log'),
    env: { AZURITE_ACCOUNTS: `${ACCOUNT}:${KEY}` },
    ready: (text) => /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1],
  })
  const accountUrl = `${daemon.ready}/${ACCOUNT}`
  const credential = new StorageSharedKeyCredential(ACCOUNT, KEY)
  const service = new BlobServiceClient(accountUrl, credential)
  return {
    accountUrl,
    accountName: ACCOUNT,
    accountKey: KEY,
    container: async (name) => {
      const client = service.getContainerClient(name)
      await client.createIfNotExists()
      return client
    },
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]()
      directory[Symbol.dispose]()
    },
  }
}
