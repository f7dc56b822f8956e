import { REQUEST_VERSION, REQUESTS } from '#buildkit/reports'
import type { Outline, OutlineMount, Target } from '#parser'
import { cleanLine } from '../terminal/text.ts'
import { displayWidth, padToWidth } from '../terminal/width.ts'

/** What can be given to the build of a target, for people. */
export function outlineText({ name, description, args, secrets, ssh }: Outline): string {
  const target = [
    ...(name === undefined ? [] : [['TARGET:', name]]),
    ...(description === undefined ? [] : [['DESCRIPTION:', description]]),
  ]
  const blocks = [
    table(target, 1),
    listing(
      ['BUILD ARG', 'VALUE', 'DESCRIPTION'],
      args.map((arg) => [arg.name, arg.value ?? '', arg.description ?? '']),
    ),
    listing(['SECRET', 'REQUIRED'], secrets.map(mountRow)),
    listing(['SSH', 'REQUIRED'], ssh.map(mountRow)),
  ]
  return blocks.flatMap((block) => (block === '' ? [] : [`${block}\n`])).join('')
}

/** The stages that can be built, for people. */
export function targetsText(targets: readonly Target[]): string {
  const rows = targets.map(({ name, isDefault, description = '' }) => {
    const mark = isDefault ? '(default)' : ''
    return [[name ?? '', mark].filter((part) => part !== '').join(' '), description]
  })
  return listing(['TARGET', 'DESCRIPTION'], rows)
}

/** What `--call` can ask for, for people. */
export function requestsText(): string {
  const rows = REQUESTS.map(([name, description]) => [name, REQUEST_VERSION, description])
  return table([['NAME', 'VERSION', 'DESCRIPTION'], ...rows], 1)
}

function mountRow({ name, isRequired }: OutlineMount): readonly string[] {
  return [name, isRequired ? 'true' : '']
}

function listing(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : table([head, ...rows], 3)
}

/** Columns as wide as their widest cell, `gap` spaces apart. */
function table(rows: readonly (readonly string[])[], gap: number): string {
  const clean = rows.map((row) => row.map(cleanLine))
  const widths = (clean[0] ?? []).map((_, column) => {
    return Math.max(...clean.map((row) => displayWidth(row[column] ?? '')))
  })
  return clean
    .map((row) => {
      const cells = row.map((cell, column) => padToWidth(cell, (widths[column] ?? 0) + gap))
      return `${cells.join('').trimEnd()}\n`
    })
    .join('')
}
