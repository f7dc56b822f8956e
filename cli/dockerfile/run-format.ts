import { isUtf8 } from 'node:buffer'
import { realpathSync, statSync } from 'node:fs'
import { ioError, TsbuildError, usageError } from '#core'
import { diagnosticsError, formatDockerfile, normalForm, parseDockerfile } from '#parser'
import type { Arguments } from '../arguments/flags.ts'
import {
  type DockerfileInput,
  readDockerfile,
  readListedDockerfile,
} from '../io/dockerfile-input.ts'
import { writeResultFile } from '../io/result-files.ts'
import { reportError } from '../reports/error-report.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { cleanLine } from '../terminal/text.ts'

type Mode = 'print' | 'check' | 'write'

/** `tsbuild fmt` */
export async function runFormat(args: Arguments, shell: Shell): Promise<number> {
  const named = [...args.list('file'), ...args.positionals]
  const paths = named.length === 0 ? ['Dockerfile'] : named
  const mode = modeOf(args, paths)
  let code = 0
  for (const path of paths) {
    try {
      if (await formatFile(path, mode, shell)) code = 1
    } catch (error) {
      // The other files may still be in order.
      reportError(error, shell)
      code = 1
    }
  }
  return code
}

function modeOf(args: Arguments, paths: readonly string[]): Mode {
  const write = args.has('write')
  if (args.has('check')) {
    if (write) throw usageError('--check and --write contradict each other', 'choose one of them')
    return 'check'
  }
  if (write) {
    if (!paths.includes('-')) return 'write'
    throw usageError('--write cannot write to standard input', 'name a file')
  }
  if (paths.length === 1) return 'print'
  const hint = 'add --write to format them in place, or --check'
  throw usageError('several files cannot be printed as one', hint)
}

/** True when the file is not as it should be, and that was the question. */
async function formatFile(path: string, mode: Mode, shell: Shell): Promise<boolean> {
  const input =
    mode === 'print' || path === '-'
      ? await readDockerfile(path, shell)
      : { filename: path, bytes: readListedDockerfile(path) }
  const formatted = formattedText(input)
  if (mode === 'print') {
    await print(shell, formatted)
    return false
  }
  if (Buffer.from(formatted).equals(input.bytes)) return false
  if (mode === 'write') writeFile(path, formatted)
  await print(shell, `${cleanLine(input.filename)}\n`)
  return mode === 'check'
}

/** The file keeps its mode, and a link stays one. */
function writeFile(path: string, text: string): void {
  try {
    const real = realpathSync(path)
    writeResultFile(real, text, statSync(real).mode & 0o7777)
  } catch (cause) {
    throw ioError(`write ${path}`, cause)
  }
}

/** @throws {TsbuildError} DOCKERFILE_INVALID, UNSUPPORTED */
function formattedText({ filename, bytes }: DockerfileInput): string {
  if (!isUtf8(bytes)) {
    const hint = 'save the file as UTF-8: formatting would destroy the other bytes'
    throw new TsbuildError(`${filename} is not UTF-8`, { code: 'DOCKERFILE_INVALID', hint })
  }
  const { dockerfile, diagnostics } = parseDockerfile(bytes)
  const error = diagnosticsError(diagnostics, { filename, text: Buffer.from(bytes).toString() })
  if (error !== undefined) throw error
  const formatted = formatDockerfile(dockerfile)
  if (meaningOf(formatted) !== meaningOf(bytes)) {
    const hint = 'break very long lines: blanks that are put in can make them too long'
    throw new TsbuildError(`${filename} cannot be formatted`, { code: 'UNSUPPORTED', hint })
  }
  return formatted
}

/** What must stay the same: all of the normal form but line numbers, and the case of AS. */
function meaningOf(source: string | Uint8Array): string {
  const isPlace = (key: string): boolean => key === 'line' || key === 'endLine'
  const form = normalForm(parseDockerfile(source))
  return JSON.stringify(form, (key, value) => (isPlace(key) ? undefined : value)).replace(
    /"as"/gi,
    '"AS"',
  )
}
