import { readFileSync } from 'node:fs'

/** Nanoseconds in a tick of the kernel's counters. */
const TICK = 10_000_000
/** user, nice, system, idle, iowait, irq, softirq: what comes behind is counted in these, too. */
const COUNTED = 7

/** What all CPUs of this machine have done since it was started: nanoseconds. Spec: proc_stat(5) */
export function systemCpuTime(): number {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1)
  const counts = first
    .trim()
    .split(/\s+/)
    .slice(1, 1 + COUNTED)
  return counts.reduce((sum, count) => sum + Number(count), 0) * TICK
}
