import { plain, shorten } from './label.ts'
import type { EdgeKind, EdgeView, GraphView, StageView } from './view.ts'

const COLUMNS = 44

const ARROWS: Readonly<Record<EdgeKind, string>> = { from: '==>', copy: '-->', mount: '-.->' }
const WORDS: Readonly<Record<EdgeKind, string>> = { from: 'FROM', copy: 'COPY', mount: 'mount' }

/** For Mermaid: a box a stage, with its instructions as lines, and one arrow for equal uses. */
export function graphMermaid(view: GraphView): string {
  const images = new Map<string, string>()
  for (const { source } of view.edges) {
    if (source.kind !== 'image' || images.has(source.name)) continue
    images.set(source.name, `image${images.size}`)
  }
  const groups = Map.groupBy(view.edges, (edge) => {
    const from = edge.source.kind === 'stage' ? edge.source.index : images.get(edge.source.name)
    return `${from} ${edge.kind} ${edge.stage}`
  })
  return [
    'flowchart TB',
    ...[...images].map(([name, id]) => `  ${id}([${quoted(plain(name))}])`),
    ...view.stages.map((stage) => `  stage${stage.index}[${quoted(...stageLines(stage))}]`),
    ...[...groups.values()].map((edges) => `  ${arrow(edges, view, images)}`),
    '  classDef default text-align:left',
    '  classDef target stroke-width:3px',
    '  classDef unneeded stroke-dasharray:5 5,opacity:0.7',
    `  class stage${view.target} target`,
    ...view.stages.flatMap(({ index, isNeeded }) => {
      return isNeeded ? [] : [`  class stage${index} unneeded`]
    }),
    '',
  ].join('\n')
}

function stageLines(stage: StageView): readonly string[] {
  const note = stage.isTarget ? ' (target)' : stage.isNeeded ? '' : ' (not needed)'
  return [
    `${stage.label}${note}`,
    ...stage.instructions.map(({ line, shown }) => `${line} ${shorten(shown, COLUMNS)}`),
  ]
}

function arrow(
  edges: readonly EdgeView[],
  { stages }: GraphView,
  images: ReadonlyMap<string, string>,
): string {
  const [first] = edges
  if (first === undefined) return ''
  const { kind, source, stage } = first
  const tail = source.kind === 'stage' ? `stage${source.index}` : images.get(source.name)
  const lines = edges.map((edge) => stages[stage]?.instructions[edge.instruction]?.line)
  const label = quoted(`${WORDS[kind]} ${lines.join(', ')}`)
  return `${tail} ${ARROWS[kind]}|${label}| stage${stage}`
}

/** Lines in quotes, with everything that means something to Mermaid, Markdown or HTML encoded. */
function quoted(...lines: readonly string[]): string {
  return `"${lines.map(encoded).join('<br/>')}"`
}

function encoded(line: string): string {
  return (
    line
      .replace(/[#"<>&%\\`*_~]|\$(?=\$)/g, entity)
      // Mermaid takes text between these words and a colon for a style, and drops a semicolon there.
      .replace(/style|classDef/g, (word) => entity(word) + word.slice(1))
  )
}

function entity(char: string): string {
  return `#${char.charCodeAt(0)};`
}
