import { Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import type { ReadStream } from 'node:tty'
import { setWindowSize } from '#builder/linux'
import type { StepPipes } from '../process/step-io.ts'
import type { StepTerminal } from '../process/terminal-io.ts'
import type { ExitStatus, StartedProcess } from '../spec/sandbox.ts'

/** What a handle reads and writes. */
export type ProcessStreams = Pick<StartedProcess, 'stdin' | 'stdout' | 'stderr' | 'resize'>

/** Streams of a process. Takes over the descriptors. @param end of the process */
export function streamsOf(io: StepPipes | StepTerminal, end: Promise<ExitStatus>): ProcessStreams {
  return io.kind === 'pipes' ? pipeStreams(io, end) : terminalStreams(io)
}

/** Streams of a process that has pipes, and takes over their descriptors. @param end of the process */
function pipeStreams(pipes: StepPipes, end: Promise<ExitStatus>): ProcessStreams {
  const stdin = pipes.stdin === undefined ? undefined : openPipe(pipes.stdin, 'writable')
  const onEnd = (): void => void stdin?.destroy()
  end.then(onEnd, onEnd)
  return {
    stdin,
    stdout: openPipe(pipes.stdout, 'readable'),
    stderr: openPipe(pipes.stderr, 'readable'),
    // There is no terminal.
    resize: () => undefined,
  }
}

function openPipe(fd: number, direction: 'readable' | 'writable'): Socket {
  const readable = direction === 'readable'
  const pipe = new Socket({ fd, readable, writable: !readable })
  // A process that has ended neither reads nor writes; its status says how it ended.
  pipe.on('error', () => undefined)
  return pipe
}

function terminalStreams({ master }: StepTerminal): ProcessStreams {
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
