/**
 * What an init of a container does: it passes signals on. They are blocked and read from a descriptor; the number of
 * each goes through a pipe into the call that sends it, since a program of system calls has no other way to take a part
 * of what it has read.
 */
import { Buffer } from 'node:buffer'
import type { ProgramCall } from '#builder/linux'

const CONTROL = 0
/** Of a `struct signalfd_siginfo`, which begins with the number. */
const INFO_SIZE = 128
const NUMBER_SIZE = 4
const SIGNALS_SIZE = 8

const SIG_SETMASK = 2
const SFD_NONBLOCK = 0x800
const O_NONBLOCK = 0x800
const F_SETFL = 4
const POLLIN = 1n

/** Those that a program's own faults raise, or that stop it, and what cannot be blocked: ILL, TRAP, ABRT, BUS, FPE, KILL, SEGV, CHLD, STOP, TTIN, TTOU, SYS. */
const KEPT = [4, 5, 6, 7, 8, 9, 11, 17, 19, 21, 22, 31]

/** Bit 0 is signal 1. */
const FORWARDED = KEPT.reduce((mask, signal) => mask & ~(1n << BigInt(signal - 1)), 2n ** 64n - 1n)

/**
 * The calls. They begin with reading the pid of the program from the control pipe, and go on behind the last one when
 * that is closed.
 * @param start index of the first one in the program
 * @param free the lowest number above standard errors that no descriptor has; the two below it are closed
 */
export function forwardCalls(start: number, free: number): readonly ProgramCall[] {
  // The lowest numbers are taken first.
  const [signals, pipeRead, pipeWrite] = [1, 2, free]
  const mask = [FORWARDED]
  const info = Buffer.alloc(INFO_SIZE)
  const at = (name: (typeof ORDER)[number]): number => start + ORDER.indexOf(name)
  const kill = at('kill')
  const end = start + ORDER.length
  const polled = [BigInt(CONTROL) | (POLLIN << 32n), BigInt(signals) | (POLLIN << 32n)]
  const calls: Readonly<Record<(typeof ORDER)[number], ProgramCall>> = {
    block: { call: 'rt_sigprocmask', args: [SIG_SETMASK, mask, 0, SIGNALS_SIZE] },
    open: { call: 'signalfd4', args: [-1, mask, SIGNALS_SIZE, SFD_NONBLOCK] },
    pipe: { call: 'pipe2', args: [Buffer.alloc(8), 0] },
    program: {
      call: 'read',
      args: [CONTROL, { ofCall: kill, argument: 0 }, NUMBER_SIZE],
      goTo: { zero: end, error: end },
    },
    unblock: { call: 'fcntl', args: [CONTROL, F_SETFL, O_NONBLOCK] },
    poll: { call: 'ppoll', args: [polled, polled.length, 0, 0, 0], goTo: { error: end } },
    signal: { call: 'read', args: [signals, info, INFO_SIZE], goTo: { error: at('control') } },
    give: { call: 'write', args: [pipeWrite, info, NUMBER_SIZE] },
    take: { call: 'read', args: [pipeRead, { ofCall: kill, argument: 1 }, NUMBER_SIZE] },
    kill: { call: 'kill', args: [0, 0], goTo: { zero: at('signal'), error: at('signal') } },
    control: {
      call: 'read',
      args: [CONTROL, [0], 1],
      goTo: { zero: end, error: at('poll'), positive: at('poll') },
    },
  }
  return ORDER.map((name) => calls[name])
}

const ORDER = [
  'block',
  'open',
  'pipe',
  'program',
  'unblock',
  'poll',
  'signal',
  'give',
  'take',
  'kill',
  'control',
] as const
