import { readFileSync } from 'node:fs'
import type { JsonObject } from '#core'

/** Columns of the kernel's table, and where docker shows them. Spec: proc_pid_net(5) */
const COLUMNS = [
  ['rx_bytes', 0],
  ['rx_packets', 1],
  ['rx_errors', 2],
  ['rx_dropped', 3],
  ['tx_bytes', 8],
  ['tx_packets', 9],
  ['tx_errors', 10],
  ['tx_dropped', 11],
] as const

/** What the links of a process have carried, but for its loopback. @param pid 0: there is none */
export function networkCounters(pid: number): JsonObject {
  if (pid === 0) return {}
  const lines = tableOf(pid).split('\n').slice(2)
  const links = lines.flatMap((line) => {
    const [, name = '', rest = ''] = /^\s*([^:]+):\s*(.*)$/.exec(line) ?? []
    if (name === '' || name === 'lo') return []
    const numbers = rest.trim().split(/\s+/).map(Number)
    const counters = COLUMNS.map(([counter, column]) => [counter, numbers[column] ?? 0] as const)
    return [[name, Object.fromEntries(counters)] as const]
  })
  return Object.fromEntries(links)
}

function tableOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/net/dev`, 'utf8')
  } catch {
    // It has ended just now.
    return ''
  }
}
