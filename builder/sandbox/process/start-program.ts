import { closeSync } from 'node:fs'
import {
  closeDescriptorsOnExec,
  makeCallProgram,
  type ProgramCall,
  spawnProcess,
} from '#builder/linux'

/** How a program of system calls is started, and with which descriptors. */
export interface StartProgramOptions {
  /** What ps shows. */
  readonly name: string
  /** Where it reports to, as it sees it. */
  readonly report: number
  /** Input, output and errors; what is missing is /dev/null. */
  readonly standard: readonly [number?, number?, number?]
  /** More, under the same numbers. */
  readonly inherit?: readonly number[]
  /** More, under other numbers. */
  readonly moved?: readonly (readonly [from: number, to: number])[]
}

/** Starts it from the calling thread. @returns its pid; it must be waited for */
export function startProgram(calls: readonly ProgramCall[], options: StartProgramOptions): number {
  const { name, report, standard, inherit = [], moved = [] } = options
  const [stdin, stdout, stderr] = standard
  const program = makeCallProgram(calls, { report })
  try {
    closeDescriptorsOnExec()
    return spawnProcess({
      program: `/proc/self/fd/${program}`,
      args: [name],
      env: [],
      ...(stdin === undefined ? {} : { stdin }),
      ...(stdout === undefined ? {} : { stdout }),
      ...(stderr === undefined ? {} : { stderr }),
      inherit,
      moved,
    })
  } finally {
    closeSync(program)
  }
}
