export { busyboxBase, debianBase, freshBusyboxBase, pushLayout } from './base-images.ts'
export { startBuildah } from './builders/buildah.ts'
export { type Buildkitd, startBuildkitd } from './builders/buildkitd.ts'
export { type DockerApi, dockerApi } from './builders/docker-api.ts'
export { type Dockerd, type DockerdOptions, startDockerd } from './builders/dockerd.ts'
export { findPeers, unpackPeers } from './builders/todays-peers.ts'
export { cachedFolder } from './cached-folder.ts'
export { compareImages, compareTrees } from './compare-images.ts'
export { freePort, startContainer } from './container.ts'
export { removeControlGroups } from './control-groups.ts'
export { type DebianArchives, debianArchives } from './debian-archives.ts'
export { flipBit } from './flip-bit.ts'
export {
  copyImage,
  type ImageDocument,
  type ReadImage,
  readImage,
} from './image.ts'
export { type ContainerOptions, inContainer } from './nested-container.ts'
export { writeLayout } from './oci-layout.ts'
export { ensurePackages, packagesFor } from './packages.ts'
export {
  CLEAN_ENVIRONMENT,
  capture,
  type Daemon,
  type Outcome,
  run,
  startDaemon,
} from './process.ts'
export {
  type Registry,
  startBusyboxRegistry,
  startRegistry,
  startRegistryTwin,
} from './registry.ts'
export {
  diskDirectory,
  memoryDirectory,
  type TemporaryDirectory,
  temporaryDirectory,
} from './temporary-directory.ts'
export { readTree, type TreeEntry } from './tree.ts'
export { until, untilEmpty } from './until.ts'
export { createUser, type User, WITH_TUNNELS } from './user.ts'
