import { join } from 'node:path'
import type { CaseOption, DifferentialCase } from './tables.ts'

const FLAGS: Readonly<Record<string, string>> = { arg: 'build-arg', context: 'build-context' }

/**
 * The options of a case as flags of the command line, which both builders have.
 * @param folder holds the context; what `makeContext` put beside it is used
 */
export function flagsOf({ options }: DifferentialCase, folder: string): readonly string[] {
  return options.flatMap(({ kind, value }) => [
    `--${FLAGS[kind] ?? kind}`,
    kind === 'secret'
      ? secretFlag(value, folder)
      : kind === 'context'
        ? inFolder(value, folder)
        : value,
  ])
}

function secretFlag(value: string, folder: string): string {
  const [id = ''] = value.split('=', 1)
  return `id=${id},src=${join(`${folder}.secrets`, id)}`
}

/** `NAME=./FOLDER` is a folder of the context's files. */
function inFolder(value: string, folder: string): string {
  return value.replace(/=\.\//, `=${folder}/`)
}

/** All `NAME=value` of one kind. */
export function pairsOf(
  options: readonly CaseOption[],
  kind: string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    options
      .filter((option) => option.kind === kind)
      .map(({ value }) => {
        const [name = ''] = value.split('=', 1)
        return [name, value.slice(name.length + 1)]
      }),
  )
}

/** All values of one kind. */
export function valuesOf(options: readonly CaseOption[], kind: string): readonly string[] {
  return options.filter((option) => option.kind === kind).map(({ value }) => value)
}
