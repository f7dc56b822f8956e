export type {
  BuildOptions,
  BuildResult,
  BuiltLayer,
  BuiltPlatform,
  LayerCompression,
  Output,
  SecretSource,
} from './build-options.ts'
export { defaultCredentials } from './credentials.ts'
export { resolveOptions, type Settings } from './settings.ts'
