import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Descriptor, Digest } from '#core'
import { Guard, type RegistryAuth } from './auth.ts'
import { type Fault, type FaultAction, FaultPlan, receive, send } from './faults.ts'
import { errorReply, type RecordedRequest, type Reply, record } from './http.ts'
import { answer, type Route, routeOf, scopeOf } from './routes.ts'
import { Storage, type StoredManifest } from './storage.ts'
import { isMisplaced } from './upload-routes.ts'

export interface MemoryRegistryOptions {
  readonly auth?: RegistryAuth
  /** `false`: uploaded blobs are hashed and forgotten, for uploads larger than memory. */
  readonly keepsBytes?: boolean
  /** False by default, as docker-registry: clients keep the lists under tags. */
  readonly listsReferrers?: boolean
  /** Bytes: larger bodies are answered with 413, as proxies do. */
  readonly largestBody?: number
  /** `false`: PATCH is answered with 405. */
  readonly takesPatch?: boolean
  /** Bytes of a part of an upload that is not the last. */
  readonly smallestPart?: number
  /** Speaks TLS with this key and certificate (PEM). */
  readonly tls?: { readonly key: string; readonly cert: string }
}

/**
 * A registry on a free port of 127.0.0.1 that follows the distribution specification, keeps
 * everything in memory, records every request and fails as its faults say.
 */
export class MemoryRegistry implements AsyncDisposable {
  readonly requests: RecordedRequest[] = []
  /** Requests that came to its other origin, which asks nobody who he is and never fails. */
  readonly elsewhereRequests: RecordedRequest[] = []
  readonly #options: MemoryRegistryOptions
  readonly #storage: Storage
  readonly #plan = new FaultPlan()
  readonly #server: Server
  readonly #elsewhere: Server
  readonly #scheme: 'http' | 'https'
  #guard: Guard | undefined

  private constructor(options: MemoryRegistryOptions) {
    this.#options = options
    const { keepsBytes = true, listsReferrers = false, smallestPart } = options
    this.#storage = new Storage({ keepsBytes, listsReferrers, smallestPart })
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
      this.#handle(request, response).catch(() => request.socket.destroy())
    }
    this.#scheme = options.tls === undefined ? 'http' : 'https'
    this.#server =
      options.tls === undefined ? createServer(onRequest) : createTlsServer(options.tls, onRequest)
    this.#elsewhere = createServer((request, response) => {
      this.#handleElsewhere(request, response).catch(() => request.socket.destroy())
    })
  }

  static async start(options: MemoryRegistryOptions = {}): Promise<MemoryRegistry> {
    const registry = new MemoryRegistry(options)
    for (const server of [registry.#server, registry.#elsewhere]) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    }
    if (options.auth !== undefined) registry.#guard = new Guard(options.auth, registry.origin)
    return registry
  }

  /** `127.0.0.1:port`, the registry part of a reference. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get origin(): string {
    return `${this.#scheme}://${this.host}`
  }

  /** Another origin, over plain http, with the same content: storage behind redirects. */
  get elsewhere(): string {
    return `http://127.0.0.1:${(this.#elsewhere.address() as AddressInfo).port}`
  }

  /** Upload sessions that are neither committed nor cancelled. */
  get openUploads(): number {
    return this.#storage.openUploads
  }

  /** Lets a request fail; faults are tried in the order in which they were added. */
  fail(fault: Fault): void {
    this.#plan.add(fault)
  }

  /** Lets those requests fail for which this says how. */
  failAsChosen(choose: (request: RecordedRequest) => FaultAction | undefined): void {
    this.#plan.choose = choose
  }

  clearFaults(): void {
    this.#plan.clear()
  }

  expireTokens(): void {
    this.#guard?.expireTokens()
  }

  /** A token as its token service gives them, for services elsewhere. */
  issueToken(scopes: readonly string[]): string {
    if (this.#guard === undefined) throw new Error('this registry asks for no tokens')
    return this.#guard.issue(scopes)
  }

  addBlob(name: string, bytes: Buffer, mediaType = 'application/octet-stream'): Descriptor {
    return this.#storage.putBlob(name, bytes, mediaType)
  }

  /** Stores a manifest as it is, whether its blobs are there or not. */
  addManifest(name: string, reference: string, manifest: StoredManifest): Digest {
    return this.#storage.putManifest(name, reference, manifest)
  }

  dropBlob(name: string, digest: string): void {
    this.#storage.repository(name).blobs.delete(digest)
  }

  /** Everything that a repository has under a tag, as clients may read it. */
  tagsOf(name: string): readonly string[] {
    return [...this.#storage.repository(name).tags.keys()]
  }

  manifestsOf(name: string): readonly string[] {
    return [...this.#storage.repository(name).manifests.keys()]
  }

  /** How it answers a request without a token that allows `scope`. */
  challenge(scope: string): Reply {
    if (this.#guard === undefined) throw new Error('this registry asks nobody who he is')
    return this.#guard.challenge(scope, 'invalid_token')
  }

  blob(name: string, digest: string): Buffer | undefined {
    return this.#storage.blob(name, digest)?.bytes
  }

  manifest(name: string, reference: string): StoredManifest | undefined {
    return this.#storage.manifest(name, reference)
  }

  /** Those that came, as `GET /v2/…`, without queries. */
  get log(): readonly string[] {
    return this.requests.map(({ method, url }) => `${method} ${url.split('?', 1)[0]}`)
  }

  async close(): Promise<void> {
    for (const server of [this.#server, this.#elsewhere]) {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = record(request)
    this.requests.push(recorded)
    const action = this.#plan.take(recorded)
    if (action?.kind === 'before') action.run()
    const route = routeOf(recorded.url)
    const scope = scopeOf(recorded.method, route)
    const isAsked = action?.kind !== 'reply' && route.kind !== 'token'
    const denied = isAsked ? this.#guard?.check(recorded, scope) : undefined
    const reply = denied ?? (await this.#serve(request, recorded, { route, action }))
    if (reply === undefined) return
    const edited = action?.kind === 'edit' ? action.edit(reply) : reply
    recorded.status = edited.status
    await send(response, edited, action)
  }

  async #handleElsewhere(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = record(request)
    this.elsewhereRequests.push(recorded)
    const route = routeOf(recorded.url)
    const reply = await this.#serve(request, recorded, { route, action: undefined })
    if (reply !== undefined) await send(response, reply, undefined)
  }

  /** `undefined` when the connection was broken on the way. */
  async #serve(
    request: IncomingMessage,
    recorded: RecordedRequest,
    { route, action }: { readonly route: Route; readonly action: FaultAction | undefined },
  ): Promise<Reply | undefined> {
    const refused = this.#refusal(recorded)
    if (refused !== undefined && action?.kind !== 'reply') return refused
    const session = route.kind === 'upload' ? this.#storage.upload(route.id) : undefined
    const isOut = session !== undefined && isMisplaced(recorded, session.seen.size)
    const chunks: Buffer[] = []
    const end = await receive(request, action, (chunk) => {
      recorded.bodySize += chunk.length
      if (isOut) return
      if (session === undefined) chunks.push(chunk)
      else this.#storage.append(session, chunk)
    })
    if (end === 'reset') return undefined
    if (action?.kind === 'reply') return action.reply
    if (isOut && recorded.method !== 'DELETE') {
      return errorReply(416, 'BLOB_UPLOAD_INVALID', 'upload resumed at wrong offset')
    }
    const body = Buffer.concat(chunks)
    if (route.kind !== 'token') return answer(this.#storage, recorded, { route, body })
    return this.#guard?.answerTokenRequest(recorded, body.toString()) ?? { status: 404 }
  }

  /** What proxies before a registry do not let through. */
  #refusal({ method, headers }: RecordedRequest): Reply | undefined {
    const { largestBody = Number.POSITIVE_INFINITY, takesPatch = true } = this.#options
    if (method === 'PATCH' && !takesPatch) return { status: 405 }
    const isEndless = headers['transfer-encoding'] === 'chunked'
    const size = isEndless ? Number.MAX_SAFE_INTEGER : Number(headers['content-length'] ?? 0)
    return size > largestBody ? { status: 413, body: '<h1>413 Entity Too Large</h1>' } : undefined
  }
}
