export { childPath, O_PATH } from '#disk'
export { giveTree } from './filesystem/chown-tree.ts'
export { BARE_DIRECTORY, fileStatOf, type StatOptions } from './filesystem/file-stat.ts'
export {
  type NamedFileOptions,
  readBounded,
  readNamedFile,
  readRegularFile,
} from './filesystem/named-file.ts'
export type { NodeOptions, NodeType } from './filesystem/nodes.ts'
export {
  hasSingleId,
  isUserNamespace,
  isWhiteout,
  makeNode,
  makeWhiteout,
  opaqueXattr,
  syncFileSystem,
} from './filesystem/nodes.ts'
export { PendingFile } from './filesystem/pending-file.ts'
export { MAX_OPEN, RootedDirectory } from './filesystem/rooted-directory.ts'
export { hasWriter } from './filesystem/writers.ts'
export { getXattr, listXattrs, removeXattr, setXattr } from './filesystem/xattr.ts'
export type { MountAttributes, MountOptions } from './mounts/mounts.ts'
export {
  detachMount,
  MS,
  makeMountsPrivate,
  mount,
  pivotRoot,
  restrictMount,
} from './mounts/mounts.ts'
export { mountOverlay } from './mounts/overlay.ts'
export type {
  CallArgument,
  CallReport,
  ProgramCall,
  ProgramOptions,
} from './programs/call-program.ts'
export {
  failureOf,
  makeCallProgram,
  PROGRAM_FAILED,
  RECORD,
  RECORD_SIZE,
  readReports,
  runCalls,
} from './programs/call-program.ts'
export { runsSmallPrograms, type SmallArchitecture } from './programs/foreign-program.ts'
export type { ProcessEnd, SpawnOptions } from './programs/spawn.ts'
export { spawnProcess, waitForExit } from './programs/spawn.ts'
export type { Identity } from './system/credentials.ts'
export {
  assumeIdentity,
  canSetGroups,
  lastCapability,
  ownCapabilities,
  resumeRoot,
} from './system/credentials.ts'
export { passOnNamedDescriptors } from './system/named-descriptors.ts'
export type { NamespaceKind, Namespaces } from './system/namespaces.ts'
export {
  closeNamespaces,
  enterNamespaces,
  namespaceFlag,
  namespacesToReturnTo,
  openNamespaces,
  unshareNamespaces,
  unshareWorkingDirectory,
} from './system/namespaces.ts'
export type { FileTimes, ResourceLimit } from './system/process.ts'
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
} from './system/process.ts'
export { bindSocket } from './system/sockets.ts'
export type { SharedLibrary, SyscallArgument, SyscallName } from './system/syscalls.ts'
export {
  AT_FDCWD,
  cString,
  openLibrary,
  SystemError,
  syscall,
  trySyscall,
} from './system/syscalls.ts'
