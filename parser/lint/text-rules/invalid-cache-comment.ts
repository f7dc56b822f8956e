import type { Instruction } from '../../ast/ast.ts'
import { type CacheComment, cacheComments } from '../../lines/cache-comment.ts'
import { printable } from '../../text/characters.ts'
import type { Rule } from '../rule/rule.ts'

const FORMS = 'write cache=never, or cache=ttl: and an age such as 90s, 30m, 24h or 7d'
const STEPS: ReadonlySet<Instruction['kind']> = new Set(['run', 'copy', 'add', 'workdir'])

/** InvalidCacheComment: a comment `# cache=` from which nothing follows. */
export const invalidCacheComment: Rule = {
  name: 'InvalidCacheComment',
  description: 'A comment # cache= above an instruction says which results of earlier builds count',
  url: undefined,
  isExperimental: false,
  order: 25,
  instruction: (instruction) => {
    const comments = cacheComments(instruction)
    const counting = comments.find(({ setting }) => setting !== undefined)
    return comments.flatMap((comment) => {
      const message = mistakeIn(comment, counting, instruction)
      return message === undefined ? [] : [{ message, range: comment.range, by: instruction }]
    })
  },
}

function mistakeIn(
  comment: CacheComment,
  counting: CacheComment | undefined,
  { kind }: Instruction,
): string | undefined {
  const written = `cache=${printable(comment.value)}`
  if (comment.setting === undefined) return `${written} is not understood: ${FORMS}`
  if (!STEPS.has(kind)) {
    const keyword = kind.toUpperCase()
    return `${written} has no effect on ${keyword}: it belongs above RUN, COPY, ADD or WORKDIR`
  }
  if (comment !== counting) return `${written} is ignored: the first cache comment above counts`
  return undefined
}
