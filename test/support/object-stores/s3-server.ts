import { once } from 'node:events'
import { utimesSync } from 'node:fs'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { temporaryDirectory } from '../peers/index.ts'

/** A server of S3's protocol on the loopback, with one bucket, that verifies signatures. */
export interface S3Server extends AsyncDisposable {
  readonly endpoint: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Method, path and query of each request, and with which header it was authorized. */
  readonly seen: S3Request[]
  /** The file that has the bytes of an object. */
  file(key: string): string
  /** Answers instead of the server, until it returns `undefined`. */
  intercept: (
    request: S3Request,
  ) => { readonly status: number; readonly location?: string } | undefined
}

/** A request as it came. */
export interface S3Request {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly authorization: string | undefined
}

/** What is used of s3rver, which has no types. */
interface S3rver {
  callback(): RequestListener
  configureBuckets(): Promise<unknown>
  readonly store: {
    getMetadata(bucket: string, key: string): Promise<{ readonly etag: string }>
  }
}

const load = createRequire(import.meta.url)
const BUCKET = 'cache'
const ACCESS = { accessKeyId: 'AKIATSBUILDTEST', secretAccessKey: 'a/Secret+Of+The/Test+Of+Caches' }

/**
 * s3rver, and before it what it lacks: writes on the condition that an object is there in one version, or is
 * not there, and copies to itself that change the time. Requests for one object take turns, since it writes files in place.
 */
export async function startS3Server(): Promise<S3Server> {
  const directory = temporaryDirectory('s3')
  const account = load('@20minutes/s3rver/lib/models/account')
  account.DUMMY_ACCOUNT.createKeyPair(ACCESS.accessKeyId, ACCESS.secretAccessKey)
  const Server = load('@20minutes/s3rver') as new (options: object) => S3rver
  const options = { directory: directory.path, silent: true, vhostBuckets: false }
  const served = new Server({ ...options, configureBuckets: [{ name: BUCKET }] })
  await served.configureBuckets()
  const verifying = served.callback()
  // It takes another path for the signed one when a bucket is listed, and would refuse what is right.
  const lenient = new Server({ ...options, allowMismatchedSignatures: true }).callback()
  const turns = new Map<string, Promise<unknown>>()
  const seen: S3Request[] = []
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    const one = { method, url, authorization: headers.authorization }
    seen.push(one)
    const instead = running.intercept(one)
    if (instead !== undefined) return refuse(response, instead)
    const path = url.split('?', 1)[0] ?? ''
    const turn = (turns.get(path) ?? Promise.resolve()).then(async () => {
      const refusal = await unmet(request, path, served)
      if (refusal !== undefined) return refuse(response, refusal)
      const closed = once(response, 'close')
      const isList = method === 'GET' && url.startsWith(`/${BUCKET}/?list-type=2`)
      ;(isList ? lenient : verifying)(request, response)
      await closed
      if (isTouch(request, path)) utimesSync(running.file(keyOf(path)), new Date(), new Date())
    })
    turns.set(
      path,
      turn.catch(() => response.destroy()),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const running: S3Server = {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: BUCKET,
    ...ACCESS,
    seen,
    file: (key) => join(directory.path, BUCKET, `${key}._S3rver_object`),
    intercept: () => undefined,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      directory[Symbol.dispose]()
    },
  }
  return running
}

interface Refusal {
  readonly status: number
  readonly location?: string
}

/** Whether an object is copied to itself, which makes it young. */
function isTouch({ method, headers }: IncomingMessage, path: string): boolean {
  const source = String(headers['x-amz-copy-source'] ?? '').replace(/^\/?/, '/')
  return method === 'PUT' && source === path
}

function keyOf(path: string): string {
  return path.split('/').slice(2).map(decodeURIComponent).join('/')
}

/** What a condition of a write is answered with that does not hold. */
async function unmet(
  { method, headers }: IncomingMessage,
  path: string,
  { store }: S3rver,
): Promise<Refusal | undefined> {
  const [match, noneMatch] = [headers['if-match'], headers['if-none-match']]
  if (method !== 'PUT' || (match ?? noneMatch) === undefined) return undefined
  const [, bucket = ''] = path.split('/').map(decodeURIComponent)
  const found = await store.getMetadata(bucket, keyOf(path)).catch(() => undefined)
  if (noneMatch === '*') return found === undefined ? undefined : { status: 412 }
  if (found === undefined) return { status: 404 }
  return found.etag === match ? undefined : { status: 412 }
}

const CODES: Readonly<Record<number, string>> = {
  301: 'PermanentRedirect',
  307: 'TemporaryRedirect',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  409: 'ConditionalRequestConflict',
  412: 'PreconditionFailed',
  503: 'SlowDown',
}

function refuse(response: ServerResponse, { status, location }: Refusal): void {
  const code = CODES[status] ?? 'InternalError'
  const headers = location === undefined ? {} : { location }
  response.writeHead(status, { 'content-type': 'application/xml', connection: 'close', ...headers })
  response.end(`<Error><Code>${code}</Code><Message>said by the test</Message></Error>`)
}
