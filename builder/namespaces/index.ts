export { hasSubordinateIds } from './id-maps.ts'
export { canMakeNamespaces, missingNamespacesError } from './missing-namespaces.ts'
export { reexecInUserNamespace } from './reexec.ts'
export {
  hasNoNewPrivileges,
  type ProcessStatus,
  processStatus,
  remedyFor,
} from './rights.ts'
