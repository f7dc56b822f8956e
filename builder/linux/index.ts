export type { NodeOptions, NodeType } from './nodes.ts'
export {
  isUserNamespace,
  isWhiteout,
  makeNode,
  makeWhiteout,
  opaqueXattr,
  syncFileSystem,
} from './nodes.ts'
export type { SharedLibrary, SyscallArgument, SyscallName } from './syscalls.ts'
export { AT_FDCWD, cString, openLibrary, SystemError, syscall, trySyscall } from './syscalls.ts'
export { getXattr, listXattrs, removeXattr, setXattr } from './xattr.ts'
