import { finished, type Readable, type Writable } from 'node:stream'
import { showAsWritten, type WindowSize } from '#builder/linux'
import type { Shell } from './shell.ts'

/** A process that is served, with a terminal or pipes. */
export interface ServedProcess<T> {
  readonly stdin: Writable | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  resize(size: WindowSize): void
  wait(): Promise<T>
}

const STDIN = 0

/** Whether a person can use a terminal: both ends of it are one. */
export function isInteractive({ stdin, stdout }: Pick<Shell, 'stdin' | 'stdout'>): boolean {
  return stdin.isTTY === true && stdout.isTTY === true && stdin.setRawMode !== undefined
}

/** The size of the user's terminal. */
export function sizeOf({ stdout }: Pick<Shell, 'stdout'>): WindowSize {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 }
}

/**
 * Joins the terminal of a process with the user's, until the process has ended: keys go to it as they are pressed,
 * and it is told of another size. On every way out the user's terminal is as it was, but where this process is
 * killed.
 */
export async function serveTerminal<T>(process: ServedProcess<T>, shell: Shell): Promise<T> {
  using _raw = rawMode(shell)
  const { stdin, stdout } = process
  const onResize = (): void => process.resize(sizeOf(shell))
  const onKeys = (keys: Uint8Array): void => void stdin?.write(keys)
  shell.stdout.on('resize', onResize)
  shell.stdin.on('data', onKeys)
  stdout.pipe(shell.stdout, { end: false })
  try {
    const status = await process.wait()
    await ended(stdout)
    return status
  } finally {
    shell.stdout.off('resize', onResize)
    shell.stdin.off('data', onKeys)
    shell.stdin.pause()
  }
}

/** Waits until nothing more comes of a stream, whether that is its end or a failure. */
export function ended(stream: Readable): Promise<void> {
  return new Promise((resolve) => finished(stream, { writable: false }, () => resolve()))
}

/** Keys come as they are pressed, until this is disposed of, a signal comes, or the process exits. */
export function rawMode({ stdin, signal }: Pick<Shell, 'stdin' | 'signal'>): Disposable {
  let isRaw = true
  const restore = (): void => {
    if (isRaw) stdin.setRawMode?.(false)
    isRaw = false
  }
  // The second signal ends the process at once.
  signal.addEventListener('abort', restore)
  process.on('exit', restore)
  stdin.setRawMode?.(true)
  showAsWritten(STDIN)
  return {
    [Symbol.dispose]: () => {
      restore()
      signal.removeEventListener('abort', restore)
      process.off('exit', restore)
    },
  }
}
