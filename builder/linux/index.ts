export { childPath, O_PATH } from '#disk'
export type { CallArgument, CallReport, ProgramCall, ProgramOptions } from './call-program.ts'
export {
  failureOf,
  makeCallProgram,
  PROGRAM_FAILED,
  RECORD,
  RECORD_SIZE,
  readReports,
  runCalls,
} from './call-program.ts'
export type { Identity } from './credentials.ts'
export {
  assumeIdentity,
  canSetGroups,
  lastCapability,
  ownCapabilities,
  resumeRoot,
} from './credentials.ts'
export { BARE_DIRECTORY, fileStatOf, type StatOptions } from './file-stat.ts'
export { runsSmallPrograms, type SmallArchitecture } from './foreign-program.ts'
export { giveTree } from './give-tree.ts'
export { passOnNamedDescriptors } from './inherited.ts'
export type { MountAttributes, MountOptions } from './mounts.ts'
export {
  detachMount,
  MS,
  makeMountsPrivate,
  mount,
  pivotRoot,
  restrictMount,
} from './mounts.ts'
export {
  type NamedFileOptions,
  readBounded,
  readNamedFile,
  readRegularFile,
} from './named-file.ts'
export type { NamespaceKind, Namespaces } from './namespaces.ts'
export {
  closeNamespaces,
  enterNamespaces,
  namespaceFlag,
  namespacesToReturnTo,
  openNamespaces,
  unshareNamespaces,
  unshareWorkingDirectory,
} from './namespaces.ts'
export type { NodeOptions, NodeType } from './nodes.ts'
export {
  hasSingleId,
  isUserNamespace,
  isWhiteout,
  makeNode,
  makeWhiteout,
  opaqueXattr,
  syncFileSystem,
} from './nodes.ts'
export { mountOverlay } from './overlay.ts'
export { PendingFile } from './pending-file.ts'
export type { FileTimes, ResourceLimit } from './process.ts'
export {
  closeDescriptorsOnExec,
  enterDirectory,
  getResourceLimit,
  lockFile,
  makePipe,
  raiseLoopback,
  setFileTimes,
  setHostname,
  setResourceLimit,
  setUmask,
  threadId,
} from './process.ts'
export { MAX_OPEN, RootedDirectory } from './rooted-directory.ts'
export { bindSocket } from './sockets.ts'
export type { ProcessEnd, SpawnOptions } from './spawn.ts'
export { spawnProcess, waitForExit } from './spawn.ts'
export type { SharedLibrary, SyscallArgument, SyscallName } from './syscalls.ts'
export { AT_FDCWD, cString, openLibrary, SystemError, syscall, trySyscall } from './syscalls.ts'
export { hasWriter } from './writers.ts'
export { getXattr, listXattrs, removeXattr, setXattr } from './xattr.ts'
