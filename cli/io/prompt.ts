import { createInterface } from 'node:readline/promises'
import { TsbuildError } from '#core'
import type { Shell } from '../terminal/shell.ts'

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_U = '\u0015'
const BACKSPACES = ['\u007f', '\b']

/** Asks on standard error, where it does not mix with results. @throws {TsbuildError} CANCELLED */
export async function ask(question: string, shell: Shell): Promise<string> {
  const terminal = createInterface({ input: shell.stdin })
  shell.stderr.write(question)
  const closed = new Promise<never>((_, reject) => {
    terminal.once('close', () => reject(notAnsweredError()))
  })
  try {
    return await Promise.race([terminal.question('', { signal: shell.signal }), closed])
  } catch (cause) {
    throw shell.signal.aborted ? shell.signal.reason : cause
  } finally {
    closed.catch(() => undefined)
    terminal.close()
  }
}

/** Asks without showing what is typed. @throws {TsbuildError} CANCELLED */
export async function askSecret(question: string, shell: Shell): Promise<string> {
  const { stdin } = shell
  shell.stderr.write(question)
  stdin.setRawMode?.(true)
  try {
    return await readSecret(shell)
  } finally {
    stdin.setRawMode?.(false)
    stdin.pause()
    shell.stderr.write('\n')
  }
}

/** Raw mode leaves the keys that end or correct a line to us. */
function readSecret({ stdin, signal }: Shell): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const keys: string[] = []
  const onData = (data: Buffer | string): void => {
    for (const key of data.toString('utf8')) {
      if (key === '\r' || key === '\n') resolve(keys.join(''))
      else if (key === CTRL_C || (key === CTRL_D && keys.length === 0)) reject(notAnsweredError())
      else if (BACKSPACES.includes(key)) keys.pop()
      else if (key === CTRL_U) keys.length = 0
      else if (key >= ' ') keys.push(key)
    }
  }
  const onEnd = (): void => reject(notAnsweredError())
  const onAbort = (): void => reject(signal.reason)
  stdin.on('data', onData).once('end', onEnd).resume()
  signal.addEventListener('abort', onAbort)
  return promise.finally(() => {
    stdin.off('data', onData).off('end', onEnd)
    signal.removeEventListener('abort', onAbort)
  })
}

function notAnsweredError(): TsbuildError {
  return new TsbuildError('nothing was entered', { code: 'CANCELLED' })
}
