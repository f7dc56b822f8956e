import { plain, shorten } from './label.ts'
import type { EdgeKind, EdgeView, GraphView, StageView } from './view.ts'

const COLUMNS = 60

const STYLES: Readonly<Record<EdgeKind, string>> = {
  from: 'style=bold, label="FROM"',
  copy: 'style=solid, label="COPY"',
  mount: 'style=dotted, label="mount"',
}

/** For Graphviz: a cluster a stage, a node an instruction, images as nodes of their own. */
export function graphDot(view: GraphView): string {
  const images = new Map<string, string>()
  for (const { source } of view.edges) {
    if (source.kind !== 'image' || images.has(source.name)) continue
    images.set(source.name, `image_${images.size}`)
  }
  return [
    'digraph Dockerfile {',
    '  graph [fontname="monospace", fontsize=11, labeljust=l]',
    '  node [shape=box, fontname="monospace", fontsize=10]',
    '  edge [fontname="monospace", fontsize=9]',
    ...[...images].map(([name, id]) => `  ${id} [label=${quoted(plain(name))}, shape=ellipse]`),
    ...view.stages.flatMap(cluster),
    ...view.edges.map((edge) => `  ${tailOf(edge, view, images)} -> ${headOf(edge)}`),
    '}\n',
  ].join('\n')
}

function cluster(stage: StageView): readonly string[] {
  const notes = [
    `stage ${stage.index}`,
    ...(stage.isTarget ? ['target'] : []),
    ...(stage.isNeeded ? [] : ['not needed']),
  ]
  const ids = stage.instructions.map((_, place) => nodeId(stage.index, place))
  const style = stage.isTarget ? 'bold' : stage.isNeeded ? 'solid' : 'dashed'
  return [
    `  subgraph cluster_${stage.index} {`,
    `    label=${quoted(`${stage.label} (${notes.join(', ')})`)}`,
    `    style=${style}`,
    ...stage.instructions.map(({ line, shown, text }, place) => {
      const label = quoted(`${line}  ${shorten(shown, COLUMNS)}`)
      return `    ${ids[place]} [label=${label}, tooltip=${quoted(plain(text))}]`
    }),
    ...(ids.length > 1 ? [`    ${ids.join(' -> ')}`] : []),
    '  }',
  ]
}

function tailOf(
  { source }: EdgeView,
  { stages }: GraphView,
  images: ReadonlyMap<string, string>,
): string {
  if (source.kind === 'image') return images.get(source.name) ?? ''
  return nodeId(source.index, (stages[source.index]?.instructions.length ?? 1) - 1)
}

function headOf({ kind, stage, instruction }: EdgeView): string {
  return `${nodeId(stage, instruction)} [${STYLES[kind]}]`
}

function nodeId(stage: number, instruction: number): string {
  return `i${stage}_${instruction}`
}

/** In quotes, where Graphviz reads backslashes as its own escapes and `&name;` as a character. */
function quoted(text: string): string {
  return `"${text.replaceAll('&', '&amp;').replace(/["\\]/g, '\\$&')}"`
}
