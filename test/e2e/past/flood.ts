import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { mustBuild, startTsbuild } from '../support/tsbuild.ts'

/** As much as is kept of a step, and a little for what else a folder has. */
const MOST_KEPT = (16 << 20) + 65_536
const MOST_MEMORY = 300

/**
 * A step that prints more than is kept takes no more memory and space for it, and its begin and end are kept.
 * @param bytes of output, more than 20 MB
 * @param argsFor a build with one RUN
 */
export async function checkFlood(
  bytes: number,
  argsFor: (step: string) => readonly string[],
  root: string,
): Promise<void> {
  const args = argsFor(`RUN echo begin; yes | head -c ${bytes}; echo; echo end`)
  const child = startTsbuild(['--progress=quiet', ...args], { root })
  let peak = 0
  const exited = once(child, 'exit')
  while (child.exitCode === null && child.signalCode === null) {
    peak = Math.max(peak, peakOf(child.pid ?? 0))
    await Promise.race([delay(50), exited])
  }
  assert.equal(child.exitCode, 0)
  assert.ok(peak > 20 && peak < MOST_MEMORY, `${peak} MiB`)
  const listed = await mustBuild(['builds', '--format=json'], { root })
  const [{ id }] = JSON.parse(listed.stdout).builds as [{ id: string }]
  const sizes = filesBelow(join(root, 'builds', id)).map((path) => statSync(path).size)
  const kept = sizes.reduce((sum, size) => sum + size, 0)
  assert.ok(kept > 12 << 20 && kept < MOST_KEPT, `${kept}`)
  const { stdout } = await mustBuild(['logs', id], { root })
  const [begin, gap, end, ...others] = stdout.split('\n').filter((line) => !/^y?$/.test(line))
  assert.deepEqual([begin, end, others], ['begin', 'end', []])
  assert.match(gap ?? '', /^\[\d+\.\d+[MG]B left out\]$/)
}

/** The files of a folder and of all below it. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  )
}

/** Highest resident memory of a process so far, in MiB. */
function peakOf(pid: number): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kib ?? 0) / 1024
  } catch {
    return 0
  }
}
