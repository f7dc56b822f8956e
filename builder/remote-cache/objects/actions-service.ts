import {
  digestOf,
  hexOf,
  type Json,
  readDocument,
  type Shaped,
  shapes,
  type TransferOptions,
  TsbuildError,
  throwIfCancelled,
} from '#core'
import {
  compose,
  createTransport,
  DEFAULT_TIMEOUTS,
  mayLeadTo,
  REAL_TIMING,
  retrying,
  type Send,
  type Transport,
  withHeaders,
} from '#http'
import { answerError, type StoreSubject, unreachableError } from './store-error.ts'

/** An entry of the cache service, and where its content is. */
export interface FoundEntry {
  readonly key: string
  /** Signed: it holds a secret. */
  readonly url: string
}

/** Where the service is, and what it accepts. */
export interface ActionsAccess {
  readonly url: string
  readonly token: string
}

const SERVICE = 'twirp/github.actions.results.api.v1.CacheService'
/** What others have written has another version, of which the service has this in place of a name. */
const VERSION_NAME = 'tsbuild cache 1'
const CONNECTIONS = 4

const { boolean, object, string } = shapes

/** What answers have, in the one spelling and the other. */
const ANSWER = object({
  ok: boolean,
  signed_download_url: string,
  signedDownloadUrl: string,
  signed_upload_url: string,
  signedUploadUrl: string,
  matched_key: string,
  matchedKey: string,
  code: string,
  msg: string,
})
type Answer = Shaped<typeof ANSWER>

/**
 * The cache service of GitHub Actions, in its second version. An entry has a key, is written once, and is
 * visible from when it is finished on; its content lies in Azure's blob storage.
 */
export class ActionsService {
  readonly #name: string
  readonly #base: URL
  readonly #transport: Transport
  readonly #send: Send

  constructor({ url, token }: ActionsAccess) {
    this.#base = new URL(url.endsWith('/') ? url : `${url}/`)
    this.#name = `the cache of GitHub Actions at ${this.#base.host}`
    this.#transport = createTransport({
      timeouts: DEFAULT_TIMEOUTS,
      maxConnectionsPerHost: CONNECTIONS,
    })
    this.#send = compose(
      (request) => this.#transport.send(request, 'named'),
      withHeaders({
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'user-agent': 'tsbuild',
      }),
      retrying(REAL_TIMING),
    )
  }

  /** The entry with a key, or else the latest whose key starts with `prefix`. */
  async find(
    { key, prefix }: { readonly key: string; readonly prefix?: string },
    options: TransferOptions,
  ): Promise<FoundEntry | undefined> {
    const restore = prefix === undefined ? [] : [prefix]
    const answer = await this.#call(
      'GetCacheEntryDownloadURL',
      { key, restore_keys: restore },
      options,
    )
    const url = answer.signed_download_url ?? answer.signedDownloadUrl
    if (answer.ok !== true || !url) return undefined
    return { key: answer.matched_key ?? answer.matchedKey ?? '', url: this.#checked(url) }
  }

  /** @returns where to send the content of a new entry; `undefined`: there is one, or it is being made */
  async create(key: string, options: TransferOptions): Promise<string | undefined> {
    const answer = await this.#call('CreateCacheEntry', { key }, options)
    const url = answer.signed_upload_url ?? answer.signedUploadUrl
    return answer.ok === true && url ? this.#checked(url) : undefined
  }

  /** Makes an entry visible whose content was sent. */
  async finish(key: string, size: number, options: TransferOptions): Promise<void> {
    const method = 'FinalizeCacheEntryUpload'
    const answer = await this.#call(method, { key, size_bytes: String(size) }, options)
    if (answer.ok !== true) throw answerError({ ...UNEXPECTED, code: method }, this.subject(method))
  }

  /** Ends every connection. */
  close(): Promise<void> {
    return this.#transport.close()
  }

  /** What messages about an action say. */
  subject(doing: string): StoreSubject {
    return { doing, store: this.#name, deniedHint: DENIED_HINT }
  }

  /** An answer must not lead to what only this machine can reach. */
  #checked(url: string): string {
    const target = new URL(url)
    if (/^https?:$/.test(target.protocol) && mayLeadTo(target, this.#base)) return url
    throw answerError(
      { ...UNEXPECTED, message: `it leads to ${target.host}` },
      this.subject('find an entry'),
    )
  }

  async #call(
    method: string,
    fields: Readonly<Record<string, Json>>,
    { signal }: TransferOptions,
  ): Promise<Answer> {
    const subject = this.subject(`call ${method}`)
    const version = hexOf(digestOf(VERSION_NAME))
    const bytes = Buffer.from(JSON.stringify({ ...fields, version }))
    const url = new URL(`${SERVICE}/${method}`, this.#base)
    const body = { kind: 'document', bytes } as const
    const response = await this.#send({ method: 'POST', url, headers: {}, body, signal }).catch(
      (cause: unknown) => {
        throwIfCancelled(signal, subject.doing)
        throw unreachableError(cause, subject)
      },
    )
    const { status } = response
    const answer = parseAnswer(response.body)
    if (status === 200) return answer
    const { code = '', msg: message = '' } = answer
    if (code === 'already_exists' || code === 'not_found') return { ok: false }
    throw answerError({ status, code, message }, subject)
  }
}

/** Nothing of what is no answer of the service, such as a page of a proxy. */
function parseAnswer(bytes: Buffer): Answer {
  try {
    return readDocument(bytes, ANSWER, { what: 'answer', code: 'REGISTRY_FAILED', isSecret: true })
  } catch (cause) {
    if (cause instanceof TsbuildError) return {}
    throw cause
  }
}

const UNEXPECTED = { status: 200, code: '', message: '' }

const DENIED_HINT =
  'ACTIONS_RUNTIME_TOKEN is there in steps that are actions; hand it to the step that runs tsbuild'
