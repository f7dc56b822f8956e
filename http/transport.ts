import type { Destination } from './destination.ts'
import type { HttpRequest, HttpResponse } from './exchange.ts'
import type { Environment } from './proxy/variables.ts'
import type { Timeouts } from './timing.ts'

/** How a transport makes its connections. */
export interface TransportOptions {
  readonly timeouts: Timeouts
  readonly maxConnectionsPerHost: number
  /** Its variables name proxies, as `HTTPS_PROXY`; none by default. */
  readonly environment?: Environment | undefined
}

/** Pooled keep-alive connections to any number of hosts. */
export interface Transport {
  /**
   * Makes one exchange: without retries, and redirects are answers.
   * @throws {HttpError} and Node's own errors of the network
   */
  send(request: HttpRequest, destination: Destination): Promise<HttpResponse>
  /** Ends every connection; requests under way fail. */
  close(): Promise<void>
}
