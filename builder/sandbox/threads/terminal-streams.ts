import { PassThrough } from 'node:stream'
import type { ReadStream } from 'node:tty'
import { setWindowSize } from '#builder/linux'
import type { StepTerminal } from '../process/terminal-io.ts'
import type { StepStreams } from './step-handle.ts'

/** Streams of a process that has a terminal. Takes over its descriptor. */
export function terminalStreams({ master }: StepTerminal): StepStreams {
  const { ReadStream } = process.getBuiltinModule('node:tty')
  // Not a socket: that takes no terminal.
  const terminal: ReadStream = new ReadStream(master)
  const stdout = terminal.pipe(new PassThrough())
  // EIO: the last process that has the terminal has closed it.
  terminal.on('error', () => undefined)
  terminal.on('close', () => stdout.end())
  return {
    stdin: terminal,
    stdout,
    stderr: new PassThrough().end(),
    resize: (size) => {
      if (!terminal.destroyed) setWindowSize(master, size)
    },
  }
}
