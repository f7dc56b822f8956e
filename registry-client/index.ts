export type { OpenBytes } from './bytes.ts'
export {
  createRegistryClient,
  RegistryClient,
  type RegistryClientOptions,
} from './client.ts'
export type { CredentialStore, Credentials } from './credentials.ts'
export { type DockerConfigOptions, dockerConfigCredentials } from './docker-config.ts'
export { RegistryError, type RegistryFailure } from './errors.ts'
export { isLoopback, mayLeadTo } from './hosts.ts'
export type { FetchedManifest } from './manifests.ts'
export {
  type ImageSource,
  type ResolvedImage,
  type ResolveImageOptions,
  resolveImage,
} from './pull.ts'
export {
  type BlobLayer,
  type PushedImage,
  type PushImage,
  type PushLayer,
  type PushProgress,
  pushImage,
  repositorySink,
  type StreamLayer,
} from './push.ts'
export {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from './reference.ts'
export { Repository } from './repository.ts'
export { networkCode, retrying } from './retry.ts'
export { DEFAULT_TIMEOUTS, REAL_TIMING, type Timeouts, type Timing } from './timing.ts'
export type { HttpRequest, HttpResponse, Send } from './transport.ts'
export { type Route, Wire } from './wire.ts'
