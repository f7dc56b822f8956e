import { resolveRoot } from '#builder'
import { type Verification, verifyStore } from '#builder/verify'
import { suggestion, usageError } from '#core'
import { type Arguments, expectArguments, formatOf } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { cleanLine, formatBytes } from '../terminal/text.ts'
import { verificationJson, verificationText } from './verify-report.ts'

const USAGE = 'tsbuild store verify [flags]'
const ACTIONS = ['verify']

/** `tsbuild store` */
export async function runStore(args: Arguments, shell: Shell): Promise<number> {
  const [action = ''] = expectArguments(args, { least: 1, most: 1, usage: USAGE })
  if (!ACTIONS.includes(action)) {
    const similar = suggestion(action, ACTIONS)
    const hint = similar === undefined ? `usage: ${USAGE}` : `did you mean ${similar}?`
    throw usageError(`unknown action "${action}" of tsbuild store`, hint)
  }
  const format = formatOf(args, ['text', 'json'])
  const found = await verify(args, shell)
  await print(shell, format === 'json' ? verificationJson(found) : verificationText(found))
  return found.isSound ? 0 : 1
}

async function verify(args: Arguments, shell: Shell): Promise<Verification> {
  const root = args.text('root') ?? resolveRoot(shell.env)
  const line = new ProgressLine(shell)
  try {
    return await verifyStore({
      root,
      repair: args.has('repair'),
      onProgress: (bytes) => line.show(`verifying ${root}: ${formatBytes(bytes)} read`),
      signal: shell.signal,
    })
  } finally {
    line.clear()
  }
}

/** Milliseconds. */
const INTERVAL = 100
const CLEAR = '\r\x1b[K'

/** A line of a terminal that says what is done; nothing elsewhere. */
class ProgressLine {
  readonly #shell: Shell
  #shownAt = 0

  constructor(shell: Shell) {
    this.#shell = shell
  }

  show(text: string): void {
    const { stderr } = this.#shell
    const now = performance.now()
    if (stderr.isTTY !== true || now - this.#shownAt < INTERVAL) return
    this.#shownAt = now
    stderr.write(CLEAR + cleanLine(text).slice(0, (stderr.columns ?? 80) - 1))
  }

  clear(): void {
    if (this.#shownAt > 0) this.#shell.stderr.write(CLEAR)
  }
}
