import type { ProgramCall } from '#builder/linux'

const AT_FDCWD = -100
const O_WRONLY = 1

/**
 * The calls by which a process is confined from the next program on, by the security module of this kernel. They
 * are made in the step's root, whose /proc is its own, and need the lowest number that is free.
 * @param text what the module takes
 * @param free that number
 */
export function confineOnExec(text: string, free: number): readonly ProgramCall[] {
  return [
    { call: 'openat', args: [AT_FDCWD, '/proc/thread-self/attr/exec', O_WRONLY, 0] },
    { call: 'write', args: [free, text, text.length] },
    { call: 'close', args: [free] },
  ]
}
