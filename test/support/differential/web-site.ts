import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import tar from 'tar-stream'
import { startWebServer, type WebServer } from '../servers/index.ts'

const DATED = { 'last-modified': 'Tue, 01 Feb 2022 03:04:05 GMT' }
const DATED_TEXT = 'dated\n'

/** The digest of `dated.txt`. */
export const DATED_DIGEST: string = `sha256:${createHash('sha256').update(DATED_TEXT).digest('hex')}`

/** Some files of other owners. */
async function makeArchive(): Promise<Buffer> {
  const pack = tar.pack()
  const head = { mtime: new Date(900_000_000_000), uid: 7, gid: 8 }
  pack.entry({ ...head, name: 'dir/', type: 'directory', mode: 0o711 })
  pack.entry({ ...head, name: 'dir/file', mode: 0o640 }, 'from the archive\n')
  pack.entry({ ...head, name: 'link', type: 'symlink', linkname: 'dir/file' })
  pack.entry({ ...head, mode: 0o640, name: 'hard', type: 'link', linkname: 'dir/file' })
  pack.finalize()
  return await buffer(pack)
}

/** What `ADD {WEB}/name` can fetch; anything else is not found. */
const PAGES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/archive.tar': async (response) => response.writeHead(200, DATED).end(await makeArchive()),
  '/archive.tgz': async (response) =>
    response.writeHead(200, DATED).end(gzipSync(await makeArchive())),
  '/dated.txt': (response) => response.writeHead(200, DATED).end(DATED_TEXT),
  '/undated.txt': (response) => response.end('undated\n'),
  '/': (response) => response.end('nameless\n'),
  '/folder/': (response) => response.end('a folder\n'),
  '/moved.txt': (response) => response.writeHead(302, { location: '/dated.txt' }).end(),
  '/packed.gz': (response) => response.writeHead(200, DATED).end(gzipSync('packed\n')),
  '/named.txt': (response) =>
    response
      .writeHead(200, { 'content-disposition': 'attachment; filename="other.txt"' })
      .end('named\n'),
}

export async function startWebSite(): Promise<WebServer> {
  return await startWebServer((request, response) => {
    const page = PAGES[new URL(request.url ?? '/', 'http://site').pathname]
    if (page === undefined) response.writeHead(404).end('not here\n')
    else page(response)
  })
}
