/** Go's text/template, with docker's functions: what `--format` takes. */
import { render } from './evaluate.ts'
import { parseNodes } from './parse.ts'
import type { Template } from './value.ts'

/**
 * Reads a template.
 * @throws {TsbuildError} USAGE for what is not known, before anything is read; and for fields that are not there
 */
export function parseTemplate(text: string): Template {
  const nodes = parseNodes(text)
  return (data) => render(nodes, data)
}
