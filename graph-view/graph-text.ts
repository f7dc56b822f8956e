import { heading } from './heading.ts'
import { plain, shorten } from './label.ts'
import type { GraphView, StageView, Use } from './view.ts'

const COLUMNS = 72

/** A list for the terminal: the stages in file order, their instructions, and what uses what. */
export function graphText(view: GraphView): string {
  const { stages } = view
  const lastLine = stages.at(-1)?.instructions.at(-1)?.endLine ?? 0
  const digits = String(lastLine).length
  const blocks = stages.map((stage) => stageBlock(stage, { stages, digits }))
  return [`${heading(view)}\n`, ...blocks].join('\n')
}

function stageBlock(
  stage: StageView,
  { stages, digits }: { readonly stages: readonly StageView[]; readonly digits: number },
): string {
  const lines = stage.instructions.map(({ line, shown, uses }, place) => {
    const isLast = place === stage.instructions.length - 1
    const branch = stage.isNeeded ? (isLast ? '└─' : '├─') : '┊ '
    const text = shorten(shown, COLUMNS)
    const sources = uses.flatMap((use) => sourceNote(use, { text, stages }))
    const note = sources.length === 0 ? '' : `  ← ${sources.join(', ')}`
    return `${branch} ${String(line).padStart(digits)}  ${text}${note}\n`
  })
  return `${stage.label}  (${stageNotes(stage, stages).join(', ')})\n${lines.join('')}`
}

function stageNotes(stage: StageView, stages: readonly StageView[]): readonly string[] {
  const users = stage.users.map((index) => stages[index]?.label)
  return [
    `stage ${stage.index}`,
    ...(stage.isTarget ? ['target'] : []),
    ...(stage.isNeeded ? [] : ['not needed']),
    ...(users.length === 0 ? [] : [`used by ${users.join(', ')}`]),
  ]
}

/** Stages in any case; an image where it cannot be read in the line. */
function sourceNote(
  { source }: Use,
  { text, stages }: { readonly text: string; readonly stages: readonly StageView[] },
): readonly string[] {
  if (source.kind === 'stage') return [stages[source.index]?.label ?? '']
  const name = plain(source.name)
  return text.includes(name) ? [] : [shorten(name, COLUMNS)]
}
