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
 * Renders the graph in the given format, ending in a newline. All stages are shown; those that the
 * target does not need are marked. Pure: the same graph gives the same text. Names and instructions
 * are escaped.
 */
export function renderGraph(graph: InstructionGraph, format: GraphFormat): string {
  return RENDERERS[format](viewOf(graph))
}
