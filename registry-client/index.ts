export {
  createRegistryClient,
  type RegistryClient,
  type RegistryClientOptions,
} from './client.ts'
export {
  type CredentialStore,
  type Credentials,
  type DockerConfigOptions,
  dockerConfigCredentials,
} from './credentials.ts'
export { RegistryError, type RegistryFailure } from './errors.ts'
export {
  type ImageSource,
  type ResolvedImage,
  type ResolveImageOptions,
  resolveImage,
} from './pull.ts'
export {
  type BlobLayer,
  type Document,
  type PushedImage,
  type PushImage,
  type PushLayer,
  type PushProgress,
  pushImage,
  type StreamLayer,
} from './push.ts'
export {
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from './reference.ts'
export { type FetchedManifest, type OpenBytes, Repository } from './repository.ts'
