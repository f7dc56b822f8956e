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
  return writeCalls('/proc/thread-self/attr/exec', text, free)
}

/** The calls by which a process says how soon the kernel ends it when memory is short; `free` as above. */
export function adjustCalls(score: number, free: number): readonly ProgramCall[] {
  return writeCalls('/proc/thread-self/oom_score_adj', `${score}`, free)
}

function writeCalls(path: string, text: string, free: number): readonly ProgramCall[] {
  return [
    { call: 'openat', args: [AT_FDCWD, path, O_WRONLY, 0] },
    { call: 'write', args: [free, text, text.length] },
    { call: 'close', args: [free] },
  ]
}
