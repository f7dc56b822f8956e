/**
 * Required by mocha in `npm test`: what tests write temporarily lies in memory, unless `TMPDIR` says where it shall lie.
 * Tests write and remove millions of small files, and wait for the disk each time a store is synced. ext4 passes over
 * each inode that was removed in the last seconds to make a file, so the more tests run, the slower each file is.
 * Tests of what a disk does make a file system for that. On the disk are the suites of sandboxes and snapshots, a real
 * application, and what other commands than `npm test` run.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'

const MEMORY = '/dev/shm'
/** Bytes that must be free; tests have up to 2 GB at one time. */
const ROOM = 4e9
/** Options of a mount with which steps cannot be tried in it. */
const UNFIT = ['noexec', 'nodev', 'nosuid', 'ro']

let folder: string | undefined

/** Before the processes start that run files of tests; they have the same environment. */
export function mochaGlobalSetup(): void {
  if (process.env.TMPDIR !== undefined || !isFit()) return
  // Short: podman takes no long paths, and neither do sockets.
  folder = mkdtempSync(join(MEMORY, 'ts-'))
  // As /tmp: some tests run programs as other users.
  chmodSync(folder, 0o1777)
  process.env.TMPDIR = folder
}

export function mochaGlobalTeardown(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
}

function isFit(): boolean {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const [, , type, options = ''] =
    mounts.map((line) => line.split(' ')).findLast(([, place]) => place === MEMORY) ?? []
  if (type !== 'tmpfs' || options.split(',').some((option) => UNFIT.includes(option))) return false
  const { bavail, bsize } = statfsSync(MEMORY)
  return bavail * bsize > ROOM && availableMemory() > ROOM
}

function availableMemory(): number {
  const [, kib] = /^MemAvailable: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? []
  return Number(kib) * 1024
}
