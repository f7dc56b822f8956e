import { PassThrough, Readable, Writable } from 'node:stream'
import type { OutputStream, Shell } from '../../../cli/terminal/shell.ts'

/** A shell that keeps what is printed. */
export interface FakeShell extends Shell {
  readonly out: () => string
  readonly err: () => string
}

export interface FakeShellOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly stdin?: string
  /** Whether standard output and standard error are terminals. */
  readonly terminal?: boolean
}

export function fakeShell(options: FakeShellOptions = {}): FakeShell {
  const { env = {}, stdin = '', terminal = false } = options
  const out = new Sink(terminal)
  const err = new Sink(terminal)
  return {
    env,
    stdin: Readable.from([stdin]),
    stdout: out,
    stderr: err,
    signal: new AbortController().signal,
    takeTime: () => undefined,
    out: () => out.text,
    err: () => err.text,
  }
}

/** A terminal's input: raw mode is recorded, keys are written by the test. */
export class FakeKeyboard extends PassThrough {
  readonly isTTY = true
  readonly rawModes: boolean[] = []

  setRawMode(mode: boolean): this {
    this.rawModes.push(mode)
    return this
  }
}

class Sink extends Writable implements OutputStream {
  readonly isTTY: boolean
  readonly columns = 80
  readonly rows = 24
  text = ''

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}
