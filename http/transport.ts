import type { HostCertificates } from './certificates.ts'
import type { Destination } from './destination.ts'
import type { HttpRequest, HttpResponse } from './exchange.ts'
import type { Timeouts } from './timing.ts'
import type { Environment } from './variables.ts'

/** How a transport makes its connections. */
export interface TransportOptions {
  readonly timeouts: Timeouts
  readonly maxConnectionsPerHost: number
  /** Its variables name proxies, as `HTTPS_PROXY`, and authorities, as `SSL_CERT_FILE`; none by default. */
  readonly environment?: Environment | undefined
  /** Certificates for a host of a URL, besides those that Node and the machine trust; none by default. */
  readonly certificatesOf?: ((host: string) => HostCertificates) | undefined
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
