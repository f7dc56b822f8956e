export { checkHost } from './check-host.ts'
export type { HostCheck } from './host-check.ts'
