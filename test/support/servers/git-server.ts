import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import { CLEAN_ENVIRONMENT, run } from '../peers/index.ts'
import { startWebServer, type WebServer } from './web-server.ts'

/** Serves the repositories of a folder over http, with git's own program for it. */
export interface GitServer extends WebServer {
  /** How often files were asked for; looking a ref up is not counted. */
  fetches(): number
}

export interface GitServerOptions {
  /** Without this header, everything is refused. */
  readonly authorization?: string
}

export async function startGitServer(
  folder: string,
  { authorization }: GitServerOptions = {},
): Promise<GitServer> {
  let fetches = 0
  const server = await startWebServer((request, response) => {
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm=git' }).end()
      return
    }
    const body: Buffer[] = []
    request.on('data', (chunk: Buffer) => body.push(chunk))
    request.on('end', () => {
      const sent = Buffer.concat(body)
      if (sent.includes('command=fetch')) fetches++
      respond(folder, { request, body: sent, response })
    })
  })
  return { ...server, fetches: () => fetches }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly body: Buffer
  readonly response: ServerResponse
}

/** One CGI request. Spec: RFC 3875 */
function respond(folder: string, { request, body, response }: Exchange): void {
  const url = new URL(request.url ?? '', 'http://server')
  const { headers } = request
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...CLEAN_ENVIRONMENT,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  backend.stdin.on('error', () => undefined)
  backend.stdin.end(body)
  const output: Buffer[] = []
  backend.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  backend.on('close', () => {
    const all = Buffer.concat(output)
    const end = all.indexOf('\r\n\r\n')
    const lines = all.subarray(0, end).toString().split('\r\n')
    const fields = lines.map((line) => line.split(/: (.*)/s))
    const status = fields.find(([name]) => name === 'Status')?.[1] ?? '200'
    for (const [name = '', value = ''] of fields) {
      if (name !== 'Status') response.setHeader(name, value)
    }
    response.writeHead(Number.parseInt(status, 10)).end(all.subarray(end + 4))
  })
}

const COMMIT_TIME = 1_600_000_000

/**
 * Writes files into a repository's work tree and commits everything there, at a fixed time; makes
 * the repository when there is none.
 * @returns the hash of the commit
 */
export async function commitFiles(
  repository: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  mkdirSync(repository, { recursive: true })
  const git = async (...args: readonly string[]): Promise<string> => {
    const time = `${COMMIT_TIME} +0000`
    const identity = ['-c', 'user.name=tests', '-c', 'user.email=tests@example.com']
    const env = { GIT_AUTHOR_DATE: time, GIT_COMMITTER_DATE: time }
    const { stdout } = await run('git', [...identity, ...args], { cwd: repository, env })
    return stdout.trim()
  }
  await git('init', '--quiet', '--initial-branch=main')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true })
    writeFileSync(join(repository, path), text)
  }
  await git('add', '--all')
  await git('commit', '--quiet', '--allow-empty', '--message=x')
  return git('rev-parse', 'HEAD')
}
