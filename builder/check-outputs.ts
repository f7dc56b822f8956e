import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ioError, TsbuildError } from '#core'
import type { Output } from './options.ts'

/** Finds the destinations that could not be written after all the work. @throws {TsbuildError} USAGE */
export function checkOutputs(outputs: readonly Output[]): void {
  for (const output of outputs) {
    if (output.type === 'store' || output.type === 'registry') continue
    const { dest } = output
    const isFolder = output.type === 'local' || ('tar' in output && output.tar === false)
    if (isFolder) checkFolder(dest)
    else if (typeof dest === 'string') checkFile(dest)
  }
}

function checkFolder(dest: unknown): void {
  if (typeof dest !== 'string') {
    throw unusable('a folder cannot be written to a stream', 'name a folder with dest=PATH')
  }
  if (isFolder(dest) !== false) return
  throw unusable(`cannot write to ${dest}: it is not a folder`, 'name another one with dest=PATH')
}

function checkFile(dest: string): void {
  if (isFolder(dest) === true) {
    throw unusable(`cannot write ${dest}: it is a folder`, 'name a file in it with dest=PATH')
  }
  const parent = dirname(dest)
  if (isFolder(parent) === true) return
  throw unusable(`cannot write ${dest}: there is no folder ${parent}`, 'make the folder first')
}

/** `undefined` when there is nothing. */
function isFolder(path: string): boolean | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory()
  } catch (cause) {
    throw ioError(`write to ${path}`, cause)
  }
}

function unusable(message: string, hint: string): TsbuildError {
  return new TsbuildError(message, { code: 'USAGE', hint })
}
