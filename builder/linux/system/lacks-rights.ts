import { readFileSync } from 'node:fs'

const SYS_ADMIN = 21n

/**
 * True for a process that can make the namespaces of steps only in a user namespace: an ordinary user's,
 * and that of a container's root without the right. Asked at each start, so it needs no other module.
 */
export function lacksRights(): boolean {
  if (process.platform !== 'linux') return false
  if (process.geteuid?.() !== 0) return true
  const status = readFileSync('/proc/self/status', 'latin1')
  const [, held = '0'] = /^CapEff:\s*([0-9a-f]+)/m.exec(status) ?? []
  return ((BigInt(`0x${held}`) >> SYS_ADMIN) & 1n) === 0n
}
