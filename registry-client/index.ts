export { isLoopback, mayLeadTo } from '../http/addresses.ts'
export type { HttpRequest, HttpResponse, Send } from '../http/exchange.ts'
export { networkCode, retrying } from '../http/retry.ts'
export { DEFAULT_TIMEOUTS, REAL_TIMING, type Timeouts, type Timing } from '../http/timing.ts'
export { type Route, Wire } from '../http/undici-transport.ts'
export type { CredentialStore, Credentials } from './credentials/credentials.ts'
export { type DockerConfigOptions, dockerConfigCredentials } from './credentials/docker-config.ts'
export { RegistryError, type RegistryFailure } from './errors.ts'
export {
  type ImageSource,
  type ResolvedImage,
  type ResolveImageOptions,
  resolveImage,
} from './images/pull.ts'
export {
  type BlobLayer,
  type Document,
  type PushedImage,
  type PushImage,
  type PushLayer,
  type PushProgress,
  pushImage,
  pushManifest,
  type StreamLayer,
} from './images/push.ts'
export {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from './reference.ts'
export type { OpenBytes } from './repository/bytes.ts'
export {
  createRegistryClient,
  RegistryClient,
  type RegistryClientOptions,
} from './repository/client.ts'
export type { FetchedManifest } from './repository/manifests.ts'
export { Repository } from './repository/repository.ts'
