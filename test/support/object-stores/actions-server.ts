import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { BlobSASPermissions, type ContainerClient } from '@azure/storage-blob'
import type { Azurite } from './azurite.ts'

/** The cache service of GitHub Actions, in its second version, with blobs in Azurite. */
export interface ActionsServer extends AsyncDisposable {
  readonly url: string
  readonly token: string
  /** Methods that were called, each with the key that was asked for. */
  readonly calls: string[]
  /** In the order in which they were begun. */
  readonly entries: Map<string, ActionsEntry>
  /** Has the blobs, under the keys of their entries. */
  readonly container: ContainerClient
  /** Called with each call before it is answered. */
  onCall: (call: string) => void
}

interface ActionsEntry {
  readonly blob: string
  /** Whether it is visible. */
  isFinished: boolean
}

interface Call {
  readonly key: string
  readonly version: string
  readonly restore_keys?: readonly string[]
  readonly size_bytes?: string
}

const TOKEN = 'eyJ0ZXN0IjoidGVzdCJ9.runtime-token-of-the-test'
const HOUR = 3_600_000

/** Entries are written once; a lookup finds the key, or else the latest of which the key starts as asked. */
export async function startActionsServer(azurite: Azurite): Promise<ActionsServer> {
  const container = await azurite.container(`actions-${Date.now()}`)
  const entries = new Map<string, ActionsEntry>()
  const calls: string[] = []
  const server = createServer(async (request, response) => {
    const reply = (status: number, answer: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer))
    }
    const body = await text(request)
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      return reply(401, {
        code: 'unauthenticated',
        msg: `no access with ${request.headers.authorization}`,
      })
    }
    const method = request.url?.split('/').at(-1) ?? ''
    const call = JSON.parse(body) as Call
    calls.push(`${method} ${call.key}`)
    running.onCall(`${method} ${call.key}`)
    reply(...(await answerTo(method, call, { entries, container })))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const running: ActionsServer = {
    url: `http://127.0.0.1:${port}/`,
    token: TOKEN,
    calls,
    entries,
    container,
    onCall: () => undefined,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return running
}

async function answerTo(
  method: string,
  { key, version, restore_keys = [], size_bytes }: Call,
  { entries, container }: Pick<ActionsServer, 'entries' | 'container'>,
): Promise<[number, object]> {
  const idOf = (name: string): string => `${version} ${name}`
  const signed = (blob: string, permissions: string): Promise<string> =>
    container.getBlockBlobClient(blob).generateSasUrl({
      permissions: BlobSASPermissions.parse(permissions),
      expiresOn: new Date(Date.now() + HOUR),
    })
  const id = idOf(key)
  switch (method) {
    case 'CreateCacheEntry': {
      if (entries.has(id))
        return [409, { code: 'already_exists', msg: 'cache entry already exists' }]
      entries.set(id, { blob: key, isFinished: false })
      return [200, { ok: true, signed_upload_url: await signed(key, 'cw') }]
    }
    case 'FinalizeCacheEntryUpload': {
      const entry = entries.get(id)
      if (entry === undefined) return [404, { code: 'not_found', msg: 'no such entry' }]
      const { contentLength } = await container.getBlobClient(entry.blob).getProperties()
      if (String(contentLength) !== size_bytes)
        return [400, { code: 'invalid_argument', msg: 'size' }]
      entry.isFinished = true
      return [200, { ok: true, entry_id: '1' }]
    }
    case 'GetCacheEntryDownloadURL': {
      const visible = [...entries].filter(([, { isFinished }]) => isFinished).reverse()
      const names = [(name: string) => name === id].concat(
        restore_keys.map((prefix) => (name: string) => name.startsWith(idOf(prefix))),
      )
      const [found] = names.flatMap((fits) => visible.filter(([name]) => fits(name)).slice(0, 1))
      if (found === undefined) return [200, { ok: false }]
      const [name, { blob }] = found
      const matched_key = name.slice(version.length + 1)
      return [200, { ok: true, matched_key, signed_download_url: await signed(blob, 'r') }]
    }
    default:
      return [404, { code: 'bad_route', msg: method }]
  }
}
