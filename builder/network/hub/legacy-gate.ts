/**
 * The same gate in the tables that the kernel had before nf_tables, which go on dropping packets where they
 * are in use, and are not part of the packet filter that netlink sockets reach. Their own programs change
 * them, and are asked only on hosts that have such tables.
 */
import { readFileSync } from 'node:fs'
import { errnoOf } from '#core'

/** Programs by the files that list the tables in use. */
const PROGRAMS = [
  ['/proc/net/ip_tables_names', '/usr/sbin/iptables-legacy'],
  ['/proc/net/ip6_tables_names', '/usr/sbin/ip6tables-legacy'],
] as const

/** Accepts packets by links of this name where the host drops what nothing accepts. */
export function acceptInLegacyTables(links: string): void {
  for (const program of programsInUse()) {
    const found = call(program, ['-S', 'FORWARD'])
    if (!found.startsWith('-P FORWARD DROP\n')) continue
    for (const rule of rulesFor(links)) {
      if (!found.includes(`${rule.join(' ')}\n`)) call(program, ['-A', ...rule])
    }
  }
}

/** Takes that back. */
export function leaveLegacyTables(links: string): void {
  for (const program of programsInUse()) {
    const found = call(program, ['-S', 'FORWARD'])
    for (const rule of rulesFor(links)) {
      if (found.includes(`-A ${rule.join(' ')}\n`)) call(program, ['-D', ...rule])
    }
  }
}

function rulesFor(links: string): readonly (readonly string[])[] {
  return ['-i', '-o'].map((direction) => ['FORWARD', direction, links, '-j', 'ACCEPT'])
}

function programsInUse(): readonly string[] {
  return PROGRAMS.flatMap(([tables, program]) =>
    readTableNames(tables).includes('filter') ? [program] : [],
  )
}

function readTableNames(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').split('\n')
  } catch (cause) {
    // Kernels without these tables have no list of them, and others keep it to root.
    const code = errnoOf(cause)
    if (code === 'ENOENT' || code === 'EACCES') return []
    throw cause
  }
}

/** What the program writes; nothing where it is missing or fails. It waits for others that change the tables. */
function call(program: string, args: readonly string[]): string {
  // Few hosts need it.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const { stdout } = spawnSync(program, ['--wait', '2', ...args], { encoding: 'utf8', env: {} })
  return stdout ?? ''
}
