export { Fetcher, type FetcherOptions } from './fetcher.ts'
export { Git } from './git-process.ts'
export {
  type GitSource,
  gitSourceName,
  parseGitSource,
  withGitFlags,
} from './git-source.ts'
export type { HttpFile } from './http-file.ts'
export {
  type HttpSource,
  httpSourceName,
  parseHttpSource,
  withChecksum,
} from './http-source.ts'
export { type RemoteFetcher, recordingFetcher } from './materials.ts'
