import { readFileSync, writeFileSync } from 'node:fs'

/** One way to use tsbuild wrongly, and what a person then reads. */
export interface BadInput {
  readonly name: string
  /** Words after `tsbuild`. */
  readonly arguments: readonly string[]
  readonly dockerfile: string | undefined
  /** Further files of the context; each holds its own name. */
  readonly files: readonly string[]
  /** Run by an ordinary user for whom this path, relative to the context, has mode 0. */
  readonly locked: string | undefined
  /** Standard error without progress. */
  readonly stderr: string
}

/**
 * Reads the table. A case begins with `=== NAME`; in it `--- arguments`, `--- Dockerfile`,
 * `--- files`, `--- locked` and `--- stderr` begin sections.
 */
export function readBadInput(path: string): BadInput[] {
  const [, ...blocks] = readFileSync(path, 'utf8').split(/^=== /m)
  return blocks.map((block) => {
    const [head = '', ...parts] = block.split(/^--- /m)
    const sections = new Map(
      parts.map((part) => {
        const end = part.indexOf('\n')
        return [part.slice(0, end), part.slice(end + 1).replace(/\n\n$/, '\n')] as const
      }),
    )
    const words = (name: string) => (sections.get(name) ?? '').split(/\s+/).filter(Boolean)
    return {
      name: head.trim(),
      arguments: sections.has('arguments') ? words('arguments') : ['$CONTEXT'],
      dockerfile: sections.get('Dockerfile'),
      files: words('files'),
      locked: words('locked')[0],
      stderr: sections.get('stderr') ?? '',
    }
  })
}

/** Writes the table with other messages: `UPDATE=1 npm test`, then read the difference. */
export function updateBadInput(path: string, stderrs: ReadonlyMap<string, string>): void {
  const [head = '', ...blocks] = readFileSync(path, 'utf8').split(/^(?==== )/m)
  const updated = blocks.map((block) => {
    const name = /^=== (.*)$/m.exec(block)?.[1]?.trim() ?? ''
    const stderr = stderrs.get(name)
    if (stderr === undefined) return block
    const kept = block.split(/^--- stderr$/m)[0]?.trimEnd() ?? ''
    return `${kept}\n--- stderr\n${stderr}\n`
  })
  writeFileSync(path, `${head}${updated.join('')}`.replace(/\n\n$/, '\n'))
}
