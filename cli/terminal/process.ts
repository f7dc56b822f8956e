import { plainOutput } from './plain-output.ts'
import type { OutputStream, Shell, TextOutput } from './shell.ts'
import { watchSignals } from './signals.ts'
import { hideSqliteWarning } from './warnings.ts'

/** A command, which returns an exit code, and what says on standard error why it failed. */
export interface Program {
  run(shell: Shell): Promise<number>
  report(error: unknown, shell: Shell): Promise<void>
}

const STDERR = 2

/** Runs a program with what belongs to the process it is, and exits with its code. */
export async function runProcess(program: Program): Promise<void> {
  hideSqliteWarning()
  const { env } = process
  const interrupts = watchSignals(env)
  let stderr: TextOutput | undefined
  const shell: Shell = {
    env,
    // Looking at one opens it, which takes up to two milliseconds.
    get stdin() {
      return process.stdin
    },
    get stdout() {
      return patient(process.stdout)
    },
    get stderr() {
      stderr ??= plainOutput(STDERR) ?? patient(process.stderr)
      return stderr
    },
    signal: interrupts.signal,
    takeTime: interrupts.takeTime,
  }
  const failAtOnce = async (error: unknown): Promise<void> => {
    try {
      await program.report(error, shell)
    } finally {
      // A report that fails would come back here for ever.
      process.exit(1)
    }
  }
  process.on('uncaughtException', failAtOnce)
  process.on('unhandledRejection', failAtOnce)
  const code = await runReporting(program, shell)
  // Idle connections and workers must not hold a finished program up.
  process.exit(code === 0 ? 0 : (interrupts.exitCode() ?? code))
}

/** A reader that goes away (`| head -1`) must not kill a build; `print` sees what matters. */
function patient(stream: OutputStream): OutputStream {
  if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore)
  return stream
}

function ignore(): void {
  // The failure is that of a write.
}

/** Runs a program; its errors are reported. Returns the exit code. */
export async function runReporting(program: Program, shell: Shell): Promise<number> {
  try {
    return await program.run(shell)
  } catch (error) {
    await program.report(error, shell)
    return 1
  }
}
