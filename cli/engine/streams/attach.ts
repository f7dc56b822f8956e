import type { Duplex } from 'node:stream'
import {
  DETACH_KEYS,
  DetachKeys,
  demultiplex,
  type OutputSinks,
  parseDetachKeys,
  sinkOf,
} from '#engine/client'
import type { Shell } from '../../terminal/shell.ts'

/** How a process and this terminal are joined. */
export interface Attachment {
  /** The process has a terminal: its output is one stream, and keys are passed on as they are pressed. */
  readonly tty: boolean
  /** What is typed or piped into this command goes to the process. */
  readonly stdin: boolean
  /** Keys that end this. Default: those of docker */
  readonly detachKeys?: string | undefined
}

/** How it ended: by the process's end, or by the keys. */
export type AttachmentEnd = 'ended' | 'detached'

/** Joins the streams of a process with those of this command, until one of them ends it. */
export async function joinStreams(
  stream: Duplex,
  shell: Shell,
  attachment: Attachment,
): Promise<AttachmentEnd> {
  using _raw = attachment.tty && attachment.stdin ? await enterRawMode(shell) : undefined
  const { promise: detached, resolve } = Promise.withResolvers<AttachmentEnd>()
  const detach = attachment.stdin
    ? passInput(stream, shell, { ...attachment, onDetach: () => resolve('detached') })
    : undefined
  if (!attachment.stdin) stream.end()
  try {
    return await Promise.race([copyOutput(stream, shell, attachment), detached])
  } finally {
    detach?.()
    stream.destroy()
  }
}

/** Prints what comes until its end. */
export async function copyOutput(
  source: AsyncIterable<Uint8Array>,
  shell: Pick<Shell, 'stdout' | 'stderr'>,
  { tty }: Pick<Attachment, 'tty'>,
): Promise<AttachmentEnd> {
  const sinks = sinksOf(shell)
  if (tty) for await (const bytes of source) await sinks.stdout(bytes)
  else await demultiplex(source, sinks)
  return 'ended'
}

function sinksOf({ stdout, stderr }: Pick<Shell, 'stdout' | 'stderr'>): OutputSinks {
  return { stdout: sinkOf(stdout), stderr: async (bytes) => void stderr.write(bytes) }
}

async function enterRawMode(shell: Shell): Promise<Disposable | undefined> {
  if (shell.stdin.isTTY !== true) return undefined
  const { rawMode } = await import('../../terminal/raw-terminal.ts')
  return rawMode(shell)
}

/** @returns ends the passing on */
function passInput(
  stream: Duplex,
  { stdin }: Pick<Shell, 'stdin'>,
  { tty, detachKeys, onDetach }: Attachment & { readonly onDetach: () => void },
): () => void {
  // What is piped may have the keys' bytes in it: they mean something only where a person types.
  const keys = tty ? new DetachKeys(parseDetachKeys(detachKeys || DETACH_KEYS)) : undefined
  const onData = (data: Buffer | string): void => {
    const typed = typeof data === 'string' ? Buffer.from(data) : data
    const passed = keys === undefined ? typed : keys.pass(typed)
    if (passed === undefined) onDetach()
    else if (passed.length > 0 && stream.writable && !stream.write(passed)) {
      stdin.pause()
      stream.once('drain', () => stdin.resume())
    }
  }
  const onEnd = (): void => void stream.end()
  stdin.on('data', onData).on('end', onEnd)
  stdin.resume()
  return () => {
    stdin.off('data', onData).off('end', onEnd)
    stdin.pause()
  }
}
