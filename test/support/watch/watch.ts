/**
 * What a program must not do however it is attacked: keep its event loop from turning, and take much memory. This file
 * imports nothing of the project: programs that tests start get its text.
 *
 * `monitorEventLoopDelay` of Node also counts the time in which the kernel lets other programs run. On two processors
 * with tests on both, that is most of what it finds: 1,125 ms, of which 227 were the program's. So turns are measured
 * here, without the time that the thread waits for a processor.
 */
import { readFileSync, writeFileSync } from 'node:fs'

/** Milliseconds from one turn that is asked for to the next. */
const INTERVAL = 10
/** Milliseconds that the 99th percentile of turns must stay below. */
const P99 = 200
/** Milliseconds that each turn of a program must stay below; tests have work of their own besides. */
export const LONGEST = 1000
/** Mebibytes that a program with all its threads must stay below. */
const MEMORY = 256

/** How much longer each turn took than was asked for, in milliseconds, in their order. */
export type Turns = readonly number[]

/** Watches the event loop of this thread. @returns what ends it, and gives all turns with the last one */
export function watchEventLoop(): () => Turns {
  const turns: number[] = []
  let last = now()
  const turn = (): void => {
    const next = now()
    turns.push(Math.max(0, next - last - INTERVAL))
    last = next
  }
  const timer = setInterval(turn, INTERVAL)
  timer.unref()
  return () => {
    clearInterval(timer)
    turn()
    return turns
  }
}

/**
 * What is wrong with the turns; absent: nothing. @param most milliseconds that any of them may take
 * One may always be longer than the percentile: of fewer than a hundred,
 * it would be the percentile, and what is run for the first time takes a while on a busy machine.
 */
export function lagFault(turns: Turns, most: number): string | undefined {
  const allowed = Math.max(1, Math.floor(turns.length / 100))
  const sorted = turns.toSorted((a, b) => b - a)
  const [longest = 0, percentile = 0] = [sorted[0], sorted[allowed]]
  if (longest < most && percentile < P99) return undefined
  const found = sorted.slice(0, 5).map((turn) => Math.round(turn))
  return `of ${turns.length} turns of the event loop, the longest took ${found.join(', ')} ms`
}

/** Watches this program until it exits, and then writes a file into the folder if something is wrong. */
export function reportFaults(folder: string): void {
  const stop = watchEventLoop()
  process.on('exit', () => {
    const faults = [lagFault(stop(), LONGEST), memoryFault()].filter((fault) => fault !== undefined)
    if (faults.length === 0) return
    const words = process.argv.slice(2).join(' ')
    writeFileSync(`${folder}/${process.pid}`, `${words}: ${faults.join('; ')}`)
  })
}

/** The kernel's own peak: that of `resourceUsage` begins with what the parent process had. */
function memoryFault(): string | undefined {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  const peak = Math.round(Number(kib) / 1024)
  return peak < MEMORY ? undefined : `it took ${peak} MiB of memory`
}

/** Milliseconds, without those in which this thread could run and no processor was free. */
function now(): number {
  return performance.now() - waited()
}

/** Milliseconds in the queue for a processor; zero where the kernel does not count them. */
function waited(): number {
  try {
    const [, nanoseconds] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')
    return Number(nanoseconds) / 1e6
  } catch {
    return 0
  }
}
