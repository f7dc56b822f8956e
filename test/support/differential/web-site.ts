import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { startWebServer, type WebServer } from '../servers/index.ts'

const DATED = { 'last-modified': 'Tue, 01 Feb 2022 03:04:05 GMT' }

/** What `ADD {WEB}/name` can fetch; anything else is not found. */
const PAGES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/dated.txt': (response) => response.writeHead(200, DATED).end('dated\n'),
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
