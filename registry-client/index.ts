export type { OpenBytes, Timeouts, Timing } from '#http'
export { certificateFolders } from './certificates/certificate-folders.ts'
export type {
  CredentialStore,
  Credentials,
  FetchedToken,
  StoredCredentials,
  TokenRequest,
} from './credentials/credentials.ts'
export { type DockerConfigOptions, dockerConfigCredentials } from './credentials/docker-config.ts'
export { dockerProxies } from './credentials/docker-proxies.ts'
export { RegistryError, type RegistryFailure } from './errors.ts'
export { changeTag, findTagged } from './images/change-tag.ts'
export {
  type CopiedImage,
  type CopyOptions,
  type CopySink,
  copyImage,
  repositoryTarget,
} from './images/copy.ts'
export { copyReferrers } from './images/copy-referrers.ts'
export {
  type CreatedIndex,
  type CreateIndexOptions,
  createIndex,
} from './images/create-index.ts'
export {
  type ImageSource,
  type ResolvedImage,
  type ResolveImageOptions,
  resolveImage,
} from './images/pull.ts'
export { type PushedImage, type PushImage, pushImage, repositorySink } from './images/push.ts'
export { PushCheck } from './images/push-check.ts'
export {
  type BlobLayer,
  type PushLayer,
  type PushProgress,
  reportingBytes,
  type StreamLayer,
} from './images/transfers.ts'
export { parseRegistryMirror, type RegistryMirror } from './mirrors/mirror.ts'
export { mirrorSettingsFiles } from './mirrors/mirror-settings.ts'
export {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from './reference.ts'
export type { BlobMemory } from './repository/blob-memory.ts'
export type { FoundRepository, SearchOptions } from './repository/catalog.ts'
export {
  createRegistryClient,
  RegistryClient,
  type RegistryClientOptions,
} from './repository/client.ts'
export type { FetchedManifest } from './repository/manifests.ts'
export type { Referrers } from './repository/referrers.ts'
export { Repository } from './repository/repository.ts'
