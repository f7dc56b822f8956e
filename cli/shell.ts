import type { ReadStream } from 'node:tty'
import { ioError } from '#core'

/** An output stream, as far as commands use it. */
export interface TextSink {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  write(text: string, done?: (error?: Error | null) => void): boolean
}

/** Everything that a command may touch of the process it runs in; tests bring their own. */
export interface Shell {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode'>>
  readonly stdout: TextSink
  readonly stderr: TextSink
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal
}

/**
 * Prints to standard output. A reader that has gone away (`| head -1`) is no error.
 * @throws {TsbuildError} IO_FAILED, NO_SPACE
 */
export async function print(shell: Pick<Shell, 'stdout'>, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    shell.stdout.write(text, (error) => {
      if (error === undefined || error === null) resolve()
      else if ('code' in error && error.code === 'EPIPE') resolve()
      else reject(ioError('write to standard output', error))
    })
  })
}

/** Says something that is no result on standard error, on a line of its own. */
export function note(shell: Pick<Shell, 'stderr'>, line: string): void {
  shell.stderr.write(`${line}\n`)
}
