import type { Dockerfile, Instruction, LineBreak } from '../ast/ast.ts'
import { mapInstructions } from '../ast/visit.ts'
import { printDockerfile } from './print.ts'

/**
 * The text of a Dockerfile in the form that `tsbuild fmt` gives it: as `printDockerfile` has it, with
 * keywords in upper case and without blank lines in the middle of an instruction. Formatting what is
 * formatted changes nothing.
 */
export function formatDockerfile(dockerfile: Dockerfile): string {
  return printDockerfile(mapInstructions(dockerfile, format))
}

function format<T extends Instruction>(instruction: T): T {
  const { kind, keyword, breaks } = instruction
  const formatted = {
    ...instruction,
    keyword: { ...keyword, raw: kind.toUpperCase() },
    breaks: breaks.map(withoutBlankLine),
  }
  if (formatted.kind !== 'from' || formatted.asKeyword === undefined) return formatted
  if (keyword.raw === formatted.keyword.raw) return formatted
  return { ...formatted, asKeyword: { ...formatted.asKeyword, raw: 'AS' } }
}

function withoutBlankLine(found: LineBreak): LineBreak {
  return { ...found, hasBlankLine: false }
}
