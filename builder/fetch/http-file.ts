import { mkdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CacheKey,
  type CacheRecord,
  cacheKeyOf,
  type LayerId,
  layerId,
  type Store,
} from '#cache'
import {
  type Digest,
  decoded,
  isDigest,
  isJsonObject,
  type Json,
  TsbuildError,
  throwIfCancelled,
} from '#core'
import type { HttpResponse, Timing, Transport } from '#http'
import { BrokenBodyError, request, save } from './download.ts'
import { downloadError, exchangeError } from './download-error.ts'
import { type HttpSource, httpSourceName } from './http-source.ts'

/** How one file is downloaded. */
export interface HttpOptions {
  readonly signal?: AbortSignal | undefined
  /** Value of the Authorization header; sent to the URL's own origin only. */
  readonly authorization?: string | undefined
  /** Bytes so far, and of the whole file when the server sends its length. */
  readonly onProgress?: ((current: number, total: number | undefined) => void) | undefined
}

/** A downloaded file: the only one in a layer of the store, of mode 0600 and owned by root. */
export interface HttpFile {
  /** Equal for equal name, content and date. */
  readonly key: CacheKey
  readonly layer: LayerId
  /** The folder that holds the file. */
  readonly directory: string
  readonly name: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  /** Milliseconds since the epoch, of whole seconds: Last-Modified, or 0. */
  readonly modifiedMs: number
  /** Whether the server sent a date. */
  readonly isDated: boolean
  /** When it was downloaded. */
  readonly createdAt: Date
  /** Whether nothing was downloaded. */
  readonly isCached: boolean
}

/** What downloads need. */
export interface HttpDeps {
  readonly store: Store
  readonly transport: Transport
  readonly timing: Timing
}

/** What the store keeps about one version of a file. */
interface Version {
  readonly name: string
  readonly digest: Digest
  readonly size: number
  readonly modifiedMs: number
  readonly etag: string | null
  readonly lastModified: string | null
}

interface KnownVersion extends Version {
  readonly layer: LayerId
  readonly createdAt: Date
}

const ATTEMPTS = 3
const PAUSE = 1_000
/** Limits the length of a request. */
const MAX_ETAGS = 8

/**
 * Downloads a file into the store. A stored one is requested with its ETag or date, and downloaded only
 * when it has changed; nothing is requested when a stored version has the checksum.
 * @throws {TsbuildError} DOWNLOAD_FAILED, DIGEST_MISMATCH, NO_SPACE, CANCELLED
 */
export async function fetchHttpFile(
  source: HttpSource,
  options: HttpOptions,
  deps: HttpDeps,
): Promise<HttpFile> {
  const family = cacheKeyOf({ op: 'http', url: source.url, name: source.name })
  const known = deps.store.records.ofFamily(family).flatMap((record) => knownVersion(record) ?? [])
  const pinned = known.find(({ digest }) => digest === source.checksum)
  if (pinned !== undefined) return fileOf(pinned, deps.store, true)
  return download(source, { options, family, known }, deps)
}

function verify(source: HttpSource, digest: Digest): void {
  const { checksum } = source
  if (checksum === undefined || digest === checksum) return
  throw new TsbuildError(
    `digest mismatch for ${httpSourceName(source)}: ${digest} (expected: ${checksum})`,
    {
      code: 'DIGEST_MISMATCH',
      hint: 'the file is another one than it was: check it, then change --checksum',
    },
  )
}

/** What is requested, and what is known of it. */
interface VersionLookup {
  readonly options: HttpOptions
  readonly family: CacheKey
  readonly known: readonly KnownVersion[]
}

async function download(
  source: HttpSource,
  lookup: VersionLookup,
  deps: HttpDeps,
): Promise<HttpFile> {
  const url = new URL(source.url)
  const { signal } = lookup.options
  let { known } = lookup
  for (let attempt = 1; ; attempt++) {
    const response = await ask(source, { ...lookup, known }, deps)
    if (response.status === 304) {
      const same = sameVersion(response, known)
      if (same !== undefined) {
        verify(source, same.digest)
        return fileOf(same, deps.store, true)
      }
      // The answer does not belong to any of the conditions: ask without them.
      if (known.length === 0) throw downloadError(url, 'the server answered 304 to a plain request')
      known = []
      continue
    }
    if (response.status !== 200) {
      response.stream?.discard()
      throw statusError(url, response.status)
    }
    try {
      return await storeVersion(source, { response, lookup }, deps)
    } catch (cause) {
      throwIfCancelled(signal, `download ${httpSourceName(source)}`)
      if (!(cause instanceof BrokenBodyError)) throw cause
      if (attempt >= ATTEMPTS) throw exchangeError(cause.cause, { url, first: url })
      await deps.timing.sleep(PAUSE * attempt, signal)
    }
  }
}

function ask(
  source: HttpSource,
  { options, known }: VersionLookup,
  { transport, timing }: HttpDeps,
): Promise<HttpResponse> {
  const url = new URL(source.url)
  const { username, password } = url
  url.username = ''
  url.password = ''
  const basic = username === '' && password === '' ? undefined : basicAuth(username, password)
  const authorization = options.authorization ?? basic
  return request(
    transport,
    {
      url,
      headers: conditionsOf(known),
      secretHeaders: authorization === undefined ? {} : { authorization },
      mayDowngrade: source.checksum !== undefined,
      signal: options.signal,
    },
    timing,
  )
}

function basicAuth(username: string, password: string): string {
  const pair = `${decoded(username)}:${decoded(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

/** Spec: RFC 9110 13.1: a date is sent only without an ETag. */
function conditionsOf(known: readonly KnownVersion[]): Record<string, string> {
  const etags = known.flatMap(({ etag }) => etag ?? []).slice(0, MAX_ETAGS)
  if (etags.length > 0) return { 'if-none-match': etags.join(', ') }
  const date = known[0]?.lastModified ?? undefined
  return date === undefined ? {} : { 'if-modified-since': date }
}

/** The version that an answer of 304 means. */
function sameVersion(
  { headers }: HttpResponse,
  known: readonly KnownVersion[],
): KnownVersion | undefined {
  const tagged = known.filter(({ etag }) => etag !== null)
  if (tagged.length === 0) return known[0]
  const { etag } = headers
  if (etag === undefined) return tagged.length === 1 ? tagged[0] : undefined
  return tagged.find((version) => opaqueTag(version.etag ?? '') === opaqueTag(etag))
}

/** Spec: RFC 9110 8.8.3.2, weak comparison. */
function opaqueTag(etag: string): string {
  return etag.replace(/^W\//, '')
}

async function storeVersion(
  source: HttpSource,
  { response, lookup }: { readonly response: HttpResponse; readonly lookup: VersionLookup },
  { store }: HttpDeps,
): Promise<HttpFile> {
  const { headers } = response
  await using temporary = store.temporary()
  const directory = join(temporary.path, 'layer')
  mkdirSync(directory, { mode: 0o755 })
  const path = join(directory, source.name)
  const total = Number(headers['content-length'] ?? Number.NaN)
  const saved = await save(response, path, (current) =>
    lookup.options.onProgress?.(current, Number.isFinite(total) ? total : undefined),
  )
  verify(source, saved.digest)
  const version: Version = {
    name: source.name,
    ...saved,
    modifiedMs: dateOf(headers['last-modified']) ?? 0,
    etag: headers.etag ?? null,
    lastModified: headers['last-modified'] ?? null,
  }
  utimesSync(path, version.modifiedMs / 1000, version.modifiedMs / 1000)
  const layer = layerOf(keyOf(version))
  await store.layers.commitDirectory(directory, { id: layer })
  const preimage: Json = { ...version, file: lookup.family }
  store.records.put({
    key: cacheKeyOf(preimage),
    preimage,
    family: lookup.family,
    layer,
    description: httpSourceName(source),
  })
  return fileOf({ ...version, layer, createdAt: new Date() }, store, false)
}

function dateOf(header: string | undefined): number | undefined {
  const date = header === undefined ? Number.NaN : Date.parse(header)
  return Number.isFinite(date) ? date : undefined
}

function keyOf({ name, digest, modifiedMs }: Version): CacheKey {
  return cacheKeyOf({ op: 'http', name, digest, modifiedMs })
}

function layerOf(key: CacheKey): LayerId {
  // The first letter is not a hex digit, so that it is never taken for a diffID.
  return layerId(`w${key.slice(1)}`)
}

function fileOf(version: KnownVersion, store: Store, isCached: boolean): HttpFile {
  const { name, digest, size, modifiedMs, lastModified, layer, createdAt } = version
  const isDated = dateOf(lastModified ?? undefined) !== undefined
  const directory = store.layers.directory(layer)
  const file = { name, digest, size, modifiedMs, isDated, layer, createdAt, directory, isCached }
  return { key: keyOf(version), ...file }
}

function knownVersion({ preimage, layer, createdAt }: CacheRecord): KnownVersion | undefined {
  if (layer === undefined || !isJsonObject(preimage)) return undefined
  const { name, digest, size, modifiedMs, etag, lastModified } = preimage
  if (typeof name !== 'string' || typeof digest !== 'string' || !isDigest(digest)) return undefined
  if (typeof size !== 'number' || typeof modifiedMs !== 'number') return undefined
  const textOf = (value: Json | undefined): string | null =>
    typeof value === 'string' ? value : null
  const validators = { etag: textOf(etag), lastModified: textOf(lastModified) }
  return { name, digest, size, modifiedMs, ...validators, layer, createdAt }
}

function statusError(url: URL, status: number): TsbuildError {
  const hints: Readonly<Record<number, string>> = {
    401: `give the build a token with --secret id=HTTP_AUTH_TOKEN_${url.host},env=VARIABLE`,
    403: 'the server does not allow it',
    404: 'check the address: the server has no such file',
  }
  const hint = hints[status]
  return downloadError(url, `the server answered ${status}`, hint === undefined ? {} : { hint })
}
