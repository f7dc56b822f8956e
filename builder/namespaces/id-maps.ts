/**
 * Which ids a user namespace has. A process outside writes them: here it is the one that has made the
 * namespace's first process.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { SystemError, spawnProcess, waitForExit } from '#builder/linux'
import { findHostProgram } from '#disk'
import { readIfThere } from './host-files.ts'
import { hasNoNewPrivileges, processStatus } from './rights.ts'

/** Gives the user namespace of a process its ids. @throws when the kernel or a program refuses */
export type MapIds = (pid: number) => void

/** The ways to give a user namespace ids, those with most ids first. */
export function waysToMapIds(): readonly MapIds[] {
  if (process.geteuid?.() === 0) return [mapAll, mapOne]
  return hasSubordinateIds() ? [mapSubordinate, mapOne] : [mapOne]
}

/**
 * All that this process's own namespace has, under the same numbers. It takes CAP_SETUID, CAP_SETGID and,
 * for id 0, CAP_SETFCAP.
 */
function mapAll(pid: number): void {
  for (const file of ['uid_map', 'gid_map']) {
    const ranges = linesOf(readFileSync(`/proc/self/${file}`, 'latin1'))
    const same = ranges.map(([first = '', , count = '']) => `${first} ${first} ${count}\n`)
    writeMap(pid, file, same.join(''))
  }
}

/** This user and group as root. It takes no rights, because groups cannot be dropped inside. */
function mapOne(pid: number): void {
  writeMap(pid, 'setgroups', 'deny')
  writeMap(pid, 'uid_map', `0 ${process.geteuid?.()} 1`)
  writeMap(pid, 'gid_map', `0 ${process.getegid?.()} 1`)
}

function writeMap(pid: number, file: string, text: string): void {
  try {
    writeFileSync(`/proc/${pid}/${file}`, text)
  } catch (cause) {
    if (!(cause instanceof Error && 'errno' in cause)) throw cause
    throw new SystemError(-Number(cause.errno), 'write', file)
  }
}

/** This user as root, and the ids that the host has given to this user from 1 on. */
function mapSubordinate(pid: number): void {
  const maps = [
    ['newuidmap', process.geteuid?.(), '/etc/subuid'],
    ['newgidmap', process.getegid?.(), '/etc/subgid'],
  ] as const
  for (const [name, own, path] of maps) {
    let next = 1
    const ranges = subordinateRanges(path).flatMap(([first, count]) => {
      const range = [`${next}`, `${first}`, `${count}`]
      next += count
      return range
    })
    runMapper(name, [`${pid}`, '0', `${own}`, '1', ...ranges])
  }
}

function runMapper(name: string, args: readonly string[]): void {
  const program = findHostProgram(name)
  if (program === undefined) throw new SystemError(2, 'exec', name)
  const { exitCode } = waitForExit(spawnProcess({ program, args: [name, ...args], env: [] }))
  if (exitCode !== 0) throw new SystemError(1, name, args.join(' '))
}

/** True when this user has a range of ids to give to steps, and the programs that assign it. */
export function hasSubordinateIds(): boolean {
  // These programs are set-uid ones.
  if (hasNoNewPrivileges(processStatus())) return false
  return (
    ['newuidmap', 'newgidmap'].every((name) => findHostProgram(name) !== undefined) &&
    ['/etc/subuid', '/etc/subgid'].every((path) => subordinateRanges(path).length > 0)
  )
}

/** First and count of each. Lines are `name:first:count` or `uid:first:count`. */
function subordinateRanges(path: string): readonly (readonly [first: number, count: number])[] {
  const names = [userName(), `${process.getuid?.()}`]
  return readIfThere(path)
    .split('\n')
    .flatMap((line) => {
      const [name, first, count] = line.trim().split(':')
      return names.includes(name) ? [[Number(first), Number(count)] as const] : []
    })
}

/** `undefined` for a uid that the host's passwd does not know. */
function userName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}

function linesOf(text: string): readonly (readonly string[])[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
}
