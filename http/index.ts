export { isLoopback, mayLeadTo } from './addresses.ts'
export { lazily, type OpenBytes } from './body.ts'
export type { HostCertificates } from './certificates.ts'
export { createTransport } from './client/node-transport.ts'
export { type Destination, destinationOf } from './destination.ts'
export { type NetworkFailure, networkCode, networkFailure, PROXY_HINT } from './errors.ts'
export {
  type AnswerStream,
  compose,
  type HttpRequest,
  type HttpResponse,
  type Middleware,
  type Send,
  withHeaders,
  withOriginHeaders,
} from './exchange.ts'
export { followingRedirects, locationUrl } from './redirects.ts'
export {
  attemptsFor,
  backoff,
  isRetriedStatus,
  MAX_ATTEMPTS,
  retryAfterOf,
  retrying,
} from './retry.ts'
export { DEFAULT_TIMEOUTS, REAL_TIMING, type Timeouts, type Timing } from './timing.ts'
export type { Transport } from './transport.ts'
export { type Environment, hasProxy, variableOf } from './variables.ts'
