import type { InstructionGraph } from '#parser'
import { graphDot } from './graph-dot.ts'
import { graphJson } from './graph-json.ts'
import { graphMermaid } from './graph-mermaid.ts'
import { graphSvg } from './graph-svg.ts'
import { graphText } from './graph-text.ts'
import { type GraphView, viewOf } from './view.ts'

/** What a graph can be shown as: for terminals, programs, Graphviz, browsers, Mermaid. */
export type GraphFormat = 'text' | 'json' | 'dot' | 'svg' | 'mermaid'

const RENDERERS: Readonly<Record<GraphFormat, (view: GraphView) => string>> = {
  text: graphText,
  json: graphJson,
  dot: graphDot,
  svg: graphSvg,
  mermaid: graphMermaid,
}

/**
 * The graph as a document of the given format, ending in a newline. All stages are in it; those that
 * the target does not need are marked. A pure function: the same graph gives the same text, whatever
 * stands in names and instructions cannot end the place that it is shown in.
 */
export function renderGraph(graph: InstructionGraph, format: GraphFormat): string {
  return RENDERERS[format](viewOf(graph))
}
