/**
 * A program that answers searches as the index of docker.io does: `/v1/search?q=WORD&n=COUNT`. It prints `ready`.
 * Spec: docker-registry v1, search
 */
import { createServer } from 'node:http'

const [host = '', port = ''] = (process.argv[2] ?? '').split(':')

const FOUND = [
  { name: 'found', description: 'an official image', star_count: 9, is_official: true },
  {
    name: 'someone/found',
    description: 'an image with a description that is longer than what a table shows of it',
    star_count: 7,
    is_official: false,
  },
  { name: 'other/found', description: '', star_count: 2, is_official: false },
]

const server = createServer(({ url = '' }, response) => {
  const { pathname, searchParams } = new URL(url, 'http://index')
  response.setHeader('content-type', 'application/json')
  response.setHeader('x-docker-registry-version', '0.9.1')
  if (pathname === '/v1/_ping') return response.end('{"standalone":true}')
  if (pathname !== '/v1/search') return response.writeHead(404).end()
  const results = FOUND.slice(0, Number(searchParams.get('n') ?? 25)).map((found) => ({
    ...found,
    is_automated: false,
  }))
  const query = searchParams.get('q')
  return response.end(JSON.stringify({ num_results: results.length, query, results }))
})
server.listen(Number(port), host, () => process.stdout.write('ready\n'))
