export {
  childPath,
  fileRights,
  hasSingleId,
  isPidNamespace,
  isUserNamespace,
  O_PATH,
} from '#disk'
export { chownTree, labelTree } from './filesystem/change-tree.ts'
export { ContentCopier } from './filesystem/content-copier.ts'
export { type CopiedRights, FileCopier, type NameIn } from './filesystem/file-copier.ts'
export { FileFacts } from './filesystem/file-facts.ts'
export { openPart } from './filesystem/file-part.ts'
export { BARE_DIRECTORY, deviceNumbers, fileStatOf } from './filesystem/file-stat.ts'
export { setFileTimes } from './filesystem/file-times.ts'
export { FolderScanner } from './filesystem/folder-scanner.ts'
export { HoleWriter } from './filesystem/hole-writer.ts'
export {
  type NamedFileOptions,
  readBounded,
  readNamedFile,
  readRegularFile,
} from './filesystem/named-file.ts'
export {
  makeNode,
  makeWhiteout,
  type NodeType,
  opaqueXattr,
  setNodeMode,
} from './filesystem/nodes.ts'
export { openPlace } from './filesystem/open-place.ts'
export { PendingFile } from './filesystem/pending-file.ts'
export { MAX_OPEN, RootedDirectory } from './filesystem/rooted-directory.ts'
export { ScannedEntries } from './filesystem/scanned-entries.ts'
export { dataParts, isSparse, skipBytes } from './filesystem/sparse-file.ts'
export { writeFully } from './filesystem/write-all.ts'
export { hasWriter } from './filesystem/writers.ts'
export { getXattr, listXattrs, removeXattr, setXattr } from './filesystem/xattr.ts'
export { attachMount, cloneMount, makeFileSystem, takesOptions } from './mounts/detached.ts'
export { mountPoints } from './mounts/mount-points.ts'
export {
  detachMount,
  labelMounts,
  MS,
  makeMountsPrivate,
  mount,
  OWN_MOUNTS,
  pivotRoot,
  restrictMount,
} from './mounts/mounts.ts'
export { mountOverlay } from './mounts/overlay.ts'
export {
  type CallReport,
  failureOf,
  makeCallProgram,
  readReports,
  runCalls,
} from './programs/call-program.ts'
export type { ProgramCall } from './programs/call-table.ts'
export {
  CHILD,
  CHILD_ADDRESS,
  RECORD,
  RECORD_SIZE,
} from './programs/call-table.ts'
export { EMULATORS, type Emulator, readEmulator } from './programs/emulators.ts'
export { runsSmallPrograms, type SmallArchitecture } from './programs/foreign-program.ts'
export type { ProcessEnd } from './programs/spawn.ts'
export {
  awaitEnd,
  findExit,
  hasEnded,
  processEndOf,
  SIGNAL_INFO_SIZE,
  spawnProcess,
  USAGE_SIZE,
  waitForExit,
} from './programs/spawn.ts'
export type { Identity } from './system/credentials.ts'
export {
  adoptingOrphans,
  adoptOrphans,
  assumeIdentity,
  canSetGroups,
  lastCapability,
  ownCapabilities,
  preventTracing,
  resumeRoot,
} from './system/credentials.ts'
export {
  awaitReadable,
  closeDescriptorsOnExec,
  lockFile,
  makePipe,
  makeSocketPair,
  type Pipe,
  rightsMessage,
  sendDescriptors,
} from './system/descriptors.ts'
export {
  bindInternetSocket,
  connectInternetSocket,
  portOfSocket,
} from './system/internet-sockets.ts'
export { lacksRights } from './system/lacks-rights.ts'
export { passOnDescriptor, passOnNamedDescriptors } from './system/named-descriptors.ts'
export type { NamespaceKind, Namespaces } from './system/namespaces.ts'
export {
  closeNamespaces,
  enterNamespaces,
  namespaceFlags,
  namespacesToReturnTo,
  openNamespaces,
  unshareNamespaces,
  unshareWorkingDirectory,
} from './system/namespaces.ts'
export { getResourceLimit, type ResourceLimit } from './system/resource-limit.ts'
export {
  bindSocket,
  listenOnSocket,
  type NetlinkKind,
  openNetlink,
  raiseLoopback,
} from './system/sockets.ts'
export {
  AT_FDCWD,
  openLibrary,
  /** @internal */
  type SharedLibrary,
  SystemError,
} from './system/syscalls.ts'
export {
  duplicate,
  openTerminalOf,
  setWindowSize,
  showAsWritten,
  TIOCSCTTY,
  type WindowSize,
} from './system/terminals.ts'
export { enterDirectory, setDomainname, setHostname, setUmask } from './system/thread.ts'
