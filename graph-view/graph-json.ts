import type { SourceRef } from '#parser'
import type { GraphView, StageView, Use } from './view.ts'

/** Incremented when a program that reads the old shape would misread the new one. */
const VERSION = 1

/** Characters that JSON allows in strings but terminals should not get. */
const UNSHOWABLE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** The document that `docs/graph.md` describes. */
export function graphJson(view: GraphView): string {
  const document = {
    version: VERSION,
    target: view.target,
    stages: view.stages.map((stage) => stageDocument(stage, view)),
    edges: view.edges.map((edge) => ({
      kind: edge.kind,
      source: sourceDocument(edge.source),
      stage: edge.stage,
      instruction: idOf(edge.stage, edge.instruction),
    })),
  }
  return `${JSON.stringify(document, undefined, 2).replace(UNSHOWABLE, escaped)}\n`
}

function stageDocument(stage: StageView, { stages }: GraphView): object {
  return {
    index: stage.index,
    name: stage.name ?? null,
    base: sourceDocument(stage.base),
    platform: stage.platform ?? null,
    needed: stage.isNeeded,
    instructions: stage.instructions.map(({ kind, line, endLine, text, uses }, place) => {
      const previous = place === 0 ? [] : [idOf(stage.index, place - 1)]
      const dependsOn = [...previous, ...uses.flatMap((use) => resultOf(use, stages))]
      return { id: idOf(stage.index, place), kind, line, endLine, text, dependsOn }
    }),
  }
}

function sourceDocument(source: SourceRef): object {
  switch (source.kind) {
    case 'stage':
      return { stage: source.index }
    case 'image':
      return { image: source.name }
    case 'scratch':
      return { scratch: true }
  }
}

/** The instruction whose result is used: the last one of a stage. */
function resultOf({ source }: Use, stages: readonly StageView[]): readonly string[] {
  const stage = source.kind === 'stage' ? stages[source.index] : undefined
  return stage === undefined ? [] : [idOf(stage.index, stage.instructions.length - 1)]
}

function idOf(stage: number, instruction: number): string {
  return `${stage}.${instruction}`
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
