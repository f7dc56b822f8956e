import { chainMessage } from '#buildkit/reports'
import { throwIfCancelled, usageError } from '#core'
import { type NormalError, type NormalForm, normalForm, parseDockerfile } from '#parser'
import { type Arguments, expectArguments } from '../arguments/flags.ts'
import { readDockerfile, readInput, readListedDockerfile } from '../io/dockerfile-input.ts'
import { print, type Shell } from '../terminal/shell.ts'

/** Characters that are printed at a time. */
const CHUNK = 1 << 16
/** Of a list of files: about a million names. */
const MAX_LIST_BYTES = 64 << 20

/** `tsbuild parse` */
export async function runParse(args: Arguments, shell: Shell): Promise<number> {
  const format = args.text('format') ?? 'json'
  if (format !== 'json') throw usageError(`unknown format "${format}"`, 'choose json')
  const list = args.text('files-from')
  const usage = `tsbuild parse [flags] ${list === undefined ? '[FILE]' : '--files-from LIST'}`
  const most = list === undefined ? 1 : 0
  const [path = 'Dockerfile'] = expectArguments(args, { least: 0, most, usage })
  if (list !== undefined) return await parseListed(list, shell)
  const { bytes } = await readDockerfile(path, shell)
  const form = normalForm(parseDockerfile(bytes))
  await print(shell, `${JSON.stringify(form, undefined, 2)}\n`)
  return 'error' in form ? 1 : 0
}

/** One document a line, in order; a file that cannot be read gives an error like any other. */
async function parseListed(list: string, shell: Shell): Promise<number> {
  const names = (await readInput(list, MAX_LIST_BYTES, shell)).toString()
  let code = 0
  let chunk = ''
  for (const path of names.split('\n')) {
    if (path === '') continue
    const form = parseFile(path)
    if ('error' in form) code = 1
    chunk += `${JSON.stringify(form)}\n`
    if (chunk.length < CHUNK) continue
    await print(shell, chunk)
    throwIfCancelled(shell.signal, 'parse the files')
    chunk = ''
  }
  await print(shell, chunk)
  return code
}

interface ReadError {
  readonly error: { readonly message: string; readonly line: null }
}

function parseFile(path: string): NormalForm | NormalError | ReadError {
  let bytes: Uint8Array
  try {
    bytes = readListedDockerfile(path)
  } catch (error) {
    return { error: { message: chainMessage(error), line: null } }
  }
  return normalForm(parseDockerfile(bytes))
}
