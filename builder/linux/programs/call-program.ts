/**
 * A program that makes a list of system calls and is nothing else. What starts a step must run between
 * the builder and the step's own program: with none of the builder's memory, files or executable, and
 * yet able to do what no program of the host may be trusted or present to do. So it is put together
 * here, a few kilobytes for each start, from a fixed loop of machine code and a table of calls.
 */
import { Buffer } from 'node:buffer'
import { closeSync, readSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { makePipe } from '../system/descriptors.ts'
import { cString, SystemError, syscall, trySyscall } from '../system/syscalls.ts'
import {
  CallTable,
  INDEX_OFFSET,
  indexedCalls,
  LOOP,
  type ProgramCall,
  type ProgramOptions,
  RECORD_SIZE,
  RESULT_OFFSET,
} from './call-table.ts'
import { CODE_OFFSET, DATA_OFFSET, elfHeader } from './elf-image.ts'
import { thisMachine } from './machine-code.ts'
import { spawnProcess, waitForExit } from './spawn.ts'

/** What a program says of one of its calls. */
export interface CallReport {
  /** Which call it was, from 0; those after a fork follow those of the program. */
  readonly index: number
  /** What the kernel returned: -errno for an error. */
  readonly result: number
}

/**
 * Makes the program, ready to be started as `/proc/self/fd/N`. It lies in sealed memory: it is not a
 * file of the host, and a process that reaches it can change nothing in it.
 * @returns its descriptor, which closes on exec
 * @throws {SystemError}
 */
export function makeCallProgram(calls: readonly ProgramCall[], options: ProgramOptions): number {
  const code = thisMachine().loop(LOOP)
  const data = new CallTable(calls, options).bytes()
  const start = Buffer.alloc(CODE_OFFSET + code.length)
  start.set(elfHeader({ code: code.length, data: data.length }))
  start.set(code, CODE_OFFSET)
  const descriptor = openMemory()
  try {
    writeWhole(descriptor, start, 0)
    writeWhole(descriptor, data, DATA_OFFSET)
    syscall('fcntl', [descriptor, F_ADD_SEALS, ALL_SEALS], 'seal')
    return descriptor
  } catch (cause) {
    closeSync(descriptor)
    throw cause
  }
}

/** Reads what a program reports, up to the end of the pipe. Blocks the calling thread. */
export function* readReports(descriptor: number): Generator<CallReport, void> {
  const record = Buffer.alloc(RECORD_SIZE)
  for (;;) {
    let length = 0
    while (length < RECORD_SIZE) {
      const count = readSync(descriptor, record, length, RECORD_SIZE - length, null)
      if (count === 0) return
      length += count
    }
    const result = Number(record.readBigInt64LE(RESULT_OFFSET))
    yield { index: Number(record.readBigInt64LE(INDEX_OFFSET)), result }
  }
}

/**
 * Runs the calls in a process of their own, to its end.
 * @param inherit descriptors that it gets as 3 and up
 * @returns what it reported
 * @throws {SystemError} when it cannot be started
 */
export function runCalls(
  calls: readonly ProgramCall[],
  inherit: readonly number[] = [],
): readonly CallReport[] {
  const { readEnd, writeEnd } = makePipe()
  const program = makeCallProgram(calls, { report: 1 })
  try {
    const moved = inherit.map((descriptor, index) => [descriptor, 3 + index] as const)
    const pid = spawnProcess({
      program: `/proc/self/fd/${program}`,
      args: ['calls'],
      env: [],
      stdout: writeEnd,
      moved,
    })
    closeSync(writeEnd)
    const reports = [...readReports(readEnd)]
    waitForExit(pid)
    return reports
  } finally {
    closeSync(program)
    closeSync(readEnd)
  }
}

/** The failure in a report. @param calls of the program that it is from */
export function failureOf(report: CallReport, calls: readonly ProgramCall[]): SystemError {
  const name = indexedCalls(calls)[report.index]?.call ?? 'exit'
  return new SystemError(-report.result, name, undefined)
}

const MFD_CLOEXEC = 0x1
const MFD_ALLOW_SEALING = 0x2
const MFD_EXEC = 0x10
const F_ADD_SEALS = 1033
/** No more seals, no shrinking, growing or writing. */
const ALL_SEALS = 0xf
const EINVAL = constants.errno.EINVAL

/** Kernels before 6.3 make all such memory executable, and do not know the flag that asks for it. */
function openMemory(): number {
  const name = cString('tsbuild')
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING
  const result = trySyscall('memfd_create', [name, flags | MFD_EXEC])
  if (result !== -EINVAL && result < 0) throw new SystemError(-result, 'memfd_create', undefined)
  return result >= 0 ? result : syscall('memfd_create', [name, flags])
}

function writeWhole(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let offset = 0; offset < bytes.length; ) {
    offset += writeSync(descriptor, bytes, offset, bytes.length - offset, position + offset)
  }
}
