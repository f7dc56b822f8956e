export { busyboxBase, debianBase, freshBusyboxBase, pushLayout } from './base-images.ts'
export { type Buildah, startBuildah } from './builders/buildah.ts'
export { type Buildkitd, type BuildkitdOptions, startBuildkitd } from './builders/buildkitd.ts'
export { type DockerApi, dockerApi } from './builders/docker-api.ts'
export { type Dockerd, startDockerd } from './builders/dockerd.ts'
export { findPeers, unpackPeers } from './builders/todays-peers.ts'
export { cachedFolder } from './cached-folder.ts'
export { compareConfigs, compareImages, compareTrees } from './compare-images.ts'
export { type Container, freePort, startContainer } from './container.ts'
export {
  copyImage,
  type ImageDocument,
  type ReadImage,
  readConfig,
  readImage,
  readRuntimeConfig,
} from './image.ts'
export { writeLayout } from './oci-layout.ts'
export { ensurePackages, missingPackages } from './packages.ts'
export {
  CLEAN_ENVIRONMENT,
  capture,
  type Daemon,
  type Outcome,
  type RunOptions,
  run,
  startDaemon,
} from './process.ts'
export { type Registry, startRegistry } from './registry.ts'
export {
  memoryDirectory,
  type TemporaryDirectory,
  temporaryDirectory,
} from './temporary-directory.ts'
export { readTree, type TreeEntry } from './tree.ts'
export { untilEmpty } from './until-empty.ts'
export { createUser, type User } from './user.ts'
