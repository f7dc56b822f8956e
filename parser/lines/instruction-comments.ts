import type { Comment, InstructionBase } from '../ast/ast.ts'
import { type CheckSettings, parseCheckSettings } from './check-settings.ts'
import { parseDirective } from './directives.ts'

/** The comments that belong to an instruction: those above it, from the last bare `#` on. */
export function ownComments({ comments }: Pick<InstructionBase, 'comments'>): readonly Comment[] {
  const bare = comments.findLastIndex(({ text }) => text.trim() === '')
  return comments.slice(bare + 1)
}

/** The texts of the comments that belong to an instruction, without white space around them. */
export function commentsOf(instruction: Pick<InstructionBase, 'comments'>): readonly string[] {
  return ownComments(instruction).map(({ text }) => text.trim())
}

/** The text of the comment `# name text` above an instruction. */
export function descriptionOf(
  instruction: Pick<InstructionBase, 'comments'>,
  name: string,
): string | undefined {
  const start = `${name} `
  const comment = commentsOf(instruction).find((text) => text.startsWith(start))
  return comment?.slice(start.length)
}

/**
 * The settings of the first `# check=` above an instruction, which hold for it alone; the value
 * ends at the first space. A malformed one is an ordinary comment.
 */
export function settingsAbove(
  instruction: Pick<InstructionBase, 'comments'>,
): CheckSettings | undefined {
  if (instruction.comments.length === 0) return undefined
  for (const comment of commentsOf(instruction)) {
    const directive = parseDirective(`#${comment}`, 1)
    if (directive?.name !== 'check') continue
    const [value = ''] = directive.value.split(' ', 1)
    const settings = parseCheckSettings(value)
    return 'mistake' in settings ? undefined : settings
  }
  return undefined
}
