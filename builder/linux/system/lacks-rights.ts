import { hasCapability } from '#disk'

const SYS_ADMIN = 21

/**
 * True for a process that can make the namespaces of steps only in a user namespace: an ordinary user's,
 * and that of a container's root without the right. Asked at each start, so it needs no other module.
 */
export function lacksRights(): boolean {
  if (process.platform !== 'linux') return false
  if (process.geteuid?.() !== 0) return true
  return !hasCapability(SYS_ADMIN)
}
