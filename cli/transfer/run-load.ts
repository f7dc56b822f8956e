import { createReadStream } from 'node:fs'
import { loadImages } from '#builder'
import { type Bytes, ioError, usageError } from '#core'
import { familiarReference, parseReference } from '#registry-client'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { print, type Shell } from '../terminal/shell.ts'
import { withProgress } from './with-progress.ts'

/** `tsbuild load` */
export async function runLoad(args: Arguments, shell: Shell): Promise<number> {
  expectArguments(args, { least: 0, most: 0, usage: 'tsbuild load [flags] [< ARCHIVE]' })
  const input = args.text('input')
  const loaded = await withProgress(args, shell, ({ root, onEvent, signal }) =>
    loadImages({
      archive: input === undefined ? standardInput(shell) : fileBytes(input),
      label: input ?? 'standard input',
      name: args.text('name'),
      root,
      onEvent,
      signal,
    }),
  )
  for (const { names } of loaded) {
    for (const name of names) {
      await print(shell, `Loaded image: ${familiarReference(parseReference(name))}\n`)
    }
  }
  return 0
}

function standardInput({ stdin, signal }: Shell): Bytes {
  if (stdin.isTTY === true) {
    throw usageError(
      'requested load from stdin, but stdin is empty',
      'name the archive with -i FILE',
    )
  }
  return chunksOf(stdin, signal)
}

async function* chunksOf(stdin: Shell['stdin'], signal: AbortSignal): Bytes {
  const onAbort = (): void => void stdin.emit('error', signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const chunk of stdin) yield Buffer.from(chunk)
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

async function* fileBytes(path: string): Bytes {
  try {
    yield* createReadStream(path)
  } catch (cause) {
    throw ioError(`read ${path}`, cause)
  }
}
