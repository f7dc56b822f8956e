import type { Readable } from 'node:stream'
import { ended, type ServedProcess } from '../../terminal/raw-terminal.ts'
import type { Shell, TextOutput } from '../../terminal/shell.ts'

/** Joins a process with standard input, output and errors as they are, until it has ended. */
export async function servePipes<T>(process: ServedProcess<T>, shell: Shell): Promise<T> {
  const { stdin } = process
  if (stdin !== undefined) shell.stdin.pipe(stdin)
  process.stdout.pipe(shell.stdout, { end: false })
  const outputs = [ended(process.stdout), written(process.stderr, shell.stderr)]
  try {
    const status = await process.wait()
    await Promise.all(outputs)
    return status
  } finally {
    if (stdin !== undefined) shell.stdin.unpipe(stdin)
    shell.stdin.pause()
  }
}

function written(stream: Readable, to: TextOutput): Promise<void> {
  const decoder = new TextDecoder()
  stream.on('data', (data: Uint8Array) => to.write(decoder.decode(data, { stream: true })))
  return ended(stream)
}
