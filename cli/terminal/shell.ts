import type { Writable } from 'node:stream'
import { ioError } from '#core'
import { cleanText } from './text.ts'

/** Where text goes and, where that is a terminal, its size. */
export interface TextOutput {
  write(text: string | Uint8Array): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

/** The same as a stream. */
export interface OutputStream extends Writable, Omit<TextOutput, 'write'> {}

/** An input stream; a terminal has a raw mode, in which keys come as they are pressed. */
export interface InputStream extends NodeJS.ReadableStream {
  readonly isTTY?: boolean
  setRawMode?(mode: boolean): unknown
}

/** Everything that a command uses of its process; tests have their own. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: InputStream
  readonly stdout: OutputStream
  readonly stderr: TextOutput
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal
  /** Milliseconds that the command may take to stop after the first signal, in the place of the usual ones. */
  readonly takeTime: (milliseconds: number) => void
}

/**
 * Prints to standard output: to a terminal without what would control it, to all else as it is. A
 * reader that was closed (`| head -1`) is not an error. Signals have their turn meanwhile.
 * @throws {TsbuildError} IO_FAILED, NO_SPACE
 */
export async function print(shell: Pick<Shell, 'stdout'>, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    shell.stdout.write(shell.stdout.isTTY === true ? cleanText(text) : text, (error) => {
      // A file or a pipe takes the text at once, without a turn of the event loop.
      if (error === undefined || error === null) setImmediate(resolve)
      else if ('code' in error && error.code === 'EPIPE') resolve()
      else reject(ioError('write to standard output', error))
    })
  })
}

/** Prints a line to standard error: what is not a result. */
export function note(shell: Pick<Shell, 'stderr'>, line: string): void {
  shell.stderr.write(`${line}\n`)
}
