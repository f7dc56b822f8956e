import type { Store } from '#cache'
import { createTransport, DEFAULT_TIMEOUTS, REAL_TIMING, type Timing, type Transport } from '#http'
import { type FindSecret, gitAuthorization, httpAuthorization } from './authorization.ts'
import { checkoutGitSource, type GitCheckout, type GitOptions } from './git-checkout.ts'
import type { GitSource } from './git-source.ts'
import { fetchHttpFile, type HttpFile, type HttpOptions } from './http-file.ts'
import type { HttpSource } from './http-source.ts'

/** Where downloads go, and what they may use. */
export interface FetcherOptions {
  readonly store: Store
  /** Where proxies are found, and where git finds certificates and agent. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Credentials of hosts; see `httpAuthorization` and `gitAuthorization` for their names. */
  readonly secret?: FindSecret | undefined
  readonly timing?: Timing | undefined
}

const CONNECTIONS = 6

const noSecret: FindSecret = async () => undefined

/**
 * Downloads files and repositories into the store, each version once. A result is a layer of the store:
 * its folder must only be read.
 */
export class Fetcher implements AsyncDisposable {
  readonly #options: FetcherOptions
  readonly #transport: Transport

  constructor(options: FetcherOptions) {
    this.#options = options
    this.#transport = createTransport({
      timeouts: DEFAULT_TIMEOUTS,
      maxConnectionsPerHost: CONNECTIONS,
      environment: options.environment,
    })
  }

  /** See `fetchHttpFile`. @throws {TsbuildError} DOWNLOAD_FAILED, DIGEST_MISMATCH, NO_SPACE, CANCELLED */
  async fetchHttp(source: HttpSource, options: HttpOptions = {}): Promise<HttpFile> {
    const { store, secret = noSecret, timing = REAL_TIMING } = this.#options
    const found = await httpAuthorization(new URL(source.url), secret)
    const authorization = options.authorization ?? found
    return fetchHttpFile(
      source,
      { ...options, authorization },
      { store, timing, transport: this.#transport },
    )
  }

  /** See `checkoutGitSource`. @throws {TsbuildError} DOWNLOAD_FAILED, NOT_FOUND, DIGEST_MISMATCH, UNSUPPORTED, CANCELLED */
  async checkoutGit(source: GitSource, options: GitOptions = {}): Promise<GitCheckout> {
    const { store, environment, secret = noSecret, timing = REAL_TIMING } = this.#options
    const found = await gitAuthorization(source.remote, secret)
    const authorization = options.authorization ?? found
    const deps = { store, environment, timing, transport: this.#transport }
    return checkoutGitSource(source, { ...options, authorization }, deps)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.close()
  }
}
