import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { freeBytes } from '#cache'
import type { HostCheck } from './host-check.ts'

const GIBIBYTE = 2 ** 30
/** A base and a build of an application fit into it. */
const ENOUGH = 2 * GIBIBYTE

/** How much the store can grow. */
export function checkDisk(root: string): HostCheck {
  const subject = 'disk'
  const free = freeBytes(existingFolder(root))
  const detail = `${(free / GIBIBYTE).toFixed(1)} GiB free for the store in ${root}`
  if (free >= ENOUGH) return { subject, state: 'ok', detail }
  const hint =
    'tsbuild prune frees what nothing needs; --root and TSBUILD_ROOT put the store elsewhere'
  return { subject, state: 'limited', detail, hint }
}

function existingFolder(path: string): string {
  return existsSync(path) ? path : existingFolder(dirname(path))
}
