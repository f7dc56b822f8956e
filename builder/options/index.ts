export type { ProvenanceOptions } from './attestation-options.ts'
export type {
  BuildOptions,
  BuildResult,
  BuiltLayer,
  BuiltPlatform,
  FindAgent,
  FindSecret,
  MadeImage,
  SecretSource,
} from './build-options.ts'
export type {
  CacheExportSettings,
  CacheLocation,
  CacheSource,
  CacheTarget,
} from './cache-options.ts'
export { defaultCredentials } from './credentials.ts'
export type { ActionsPlace, AzurePlace, ObjectPlace, S3Place } from './object-caches.ts'
export { requestOf, resolveOptions, type Settings } from './settings.ts'
