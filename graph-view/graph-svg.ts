import { type Arrangement, arrange } from './arrange.ts'
import type { Point } from './geometry.ts'
import { heading } from './heading.ts'
import { drawStage, inletOf, stageBox, textLine, textWidth } from './svg-stage.ts'
import { HUES, STYLE } from './svg-style.ts'
import type { EdgeKind, GraphView, StageView } from './view.ts'
import { element, escaped, type Markup } from './xml.ts'

const MARGIN = 24
const TOP = 60
const BOTTOM = 56
/** Length of an arrowhead, and half its width. */
const HEAD = 7
const HALF = 3.5
const SAMPLE = 36

const KINDS: Readonly<Record<EdgeKind, string>> = {
  from: 'FROM',
  copy: 'COPY --from',
  mount: 'RUN --mount=from',
}

/** A picture: a box a stage with a line an instruction, an arrow from each stage to its users. */
export function graphSvg(view: GraphView): string {
  const boxes = view.stages.map(stageBox)
  const plan = arrange(boxes, view)
  const legend = drawLegend(view, TOP + plan.height + BOTTOM / 2)
  const title = heading(view)
  const inner = Math.max(plan.width, textWidth(title), legend.width)
  const width = Math.ceil(inner + 2 * MARGIN)
  const height = Math.ceil(TOP + plan.height + BOTTOM)
  const picture = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      class: 'tsbuild-graph',
      role: 'img',
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
    },
    element('title', {}, escaped(title)),
    element('style', {}, escaped(STYLE)),
    element('rect', { class: 'page', width, height }),
    textLine(title, { x: MARGIN, y: TOP / 2 + 4 }, { class: 'name' }),
    drawArrows(plan, view),
    boxes.flatMap((box, index) => {
      const placed = plan.boxes[index]
      return placed === undefined ? [] : [drawStage(box, { ...placed, ...onPage(placed) })]
    }),
    drawPorts(plan, view),
    legend.markup,
  )
  return `${picture.replaceAll('<g', '\n<g')}\n`
}

function drawArrows({ arrows, isDown }: Arrangement, { stages }: GraphView): readonly Markup[] {
  const hueOf = huesOf(stages)
  return arrows.map(({ from, to, edges, points }) => {
    const lines = edges.map(({ instruction }) => {
      const { line, shown } = stages[to]?.instructions[instruction] ?? {}
      return `line ${line}: ${shown}`
    })
    const title = `${stages[from]?.label} → ${stages[to]?.label}\n${lines.join('\n')}`
    const faint = stages[to]?.isNeeded === true ? '' : ' faint'
    return element(
      'g',
      { class: `${edges[0]?.kind} hue${hueOf(from)}${faint}` },
      element('title', {}, escaped(title)),
      drawRoute(points.map(onPage), isDown),
    )
  })
}

/** Dots where arrows start, and beside the instructions that they are for. */
function drawPorts({ arrows, boxes }: Arrangement, { stages }: GraphView): readonly Markup[] {
  const hueOf = huesOf(stages)
  const starts = new Map(arrows.map(({ from, points }) => [from, points[0]]))
  const port = (stage: number, { x, y }: Point, r: number): Markup => {
    return element('circle', { class: `port hue${hueOf(stage)}`, cx: x, cy: y, r })
  }
  return [
    ...[...starts].map(([from, start]) => port(from, onPage(start ?? { x: 0, y: 0 }), 4)),
    ...arrows.flatMap(({ from, to, edges }) => {
      const { x, y } = onPage(boxes[to] ?? { x: 0, y: 0 })
      return edges.map(({ instruction }) => {
        return port(from, { x: x + 8, y: y + inletOf(instruction) }, 3)
      })
    }),
  ]
}

/** Colours for the stages that have arrows, in turn. */
function huesOf(stages: readonly StageView[]): (stage: number) => number {
  const used = stages.filter(({ users }) => users.length > 0)
  const hues = new Map(used.map(({ index }, place) => [index, place % HUES]))
  return (stage) => hues.get(stage) ?? 0
}

/** A line that leaves and arrives in the direction of the flow, and its arrowhead. */
function drawRoute(points: readonly Point[], isDown: boolean): readonly Markup[] {
  const [start] = points
  const tip = points.at(-1)
  if (start === undefined || tip === undefined) return []
  const end = isDown ? { x: tip.x, y: tip.y - HEAD } : { x: tip.x - HEAD, y: tip.y }
  const parts = [...points.slice(0, -1), end].map(({ x, y }, index, all) => {
    if (index === 0) return `M${x} ${y}`
    if (index % 2 === 1) return isDown ? `V${y}` : `H${x}`
    const before = all[index - 1] ?? start
    const middle = isDown ? (before.y + y) / 2 : (before.x + x) / 2
    return isDown
      ? `C${before.x} ${middle} ${x} ${middle} ${x} ${y}`
      : `C${middle} ${before.y} ${middle} ${y} ${x} ${y}`
  })
  const head = isDown
    ? `M${tip.x} ${tip.y}l${-HALF} ${-HEAD}h${2 * HALF}z`
    : `M${tip.x} ${tip.y}l${-HEAD} ${-HALF}v${2 * HALF}z`
  return [
    element('path', { class: 'line', d: parts.join('') }),
    element('path', { class: 'head', d: head }),
  ]
}

/** What the ways of drawing mean, of those that occur. */
function drawLegend(
  { edges, stages }: GraphView,
  y: number,
): { readonly markup: Markup; readonly width: number } {
  const kinds = new Set(
    edges.flatMap(({ kind, source }) => (source.kind === 'stage' ? [kind] : [])),
  )
  let x = MARGIN
  const add = (sample: Markup, text: string): readonly Markup[] => {
    const label = textLine(text, { x: x + SAMPLE + 8, y: y + 4 }, { class: 'soft' })
    x += SAMPLE + 8 + textWidth(text) + 24
    return [sample, label]
  }
  const lines = (['from', 'copy', 'mount'] as const).flatMap((kind) => {
    if (!kinds.has(kind)) return []
    const points = [
      { x, y },
      { x: x + SAMPLE, y },
    ]
    return add(element('g', { class: kind }, drawRoute(points, false)), KINDS[kind])
  })
  const boxes = stages.every(({ isNeeded }) => isNeeded)
    ? []
    : add(
        element(
          'g',
          { class: 'unneeded' },
          element('rect', { class: 'box', x, y: y - 7, width: SAMPLE, height: 14, rx: 4 }),
        ),
        'not needed for the target',
      )
  return { markup: element('g', { class: 'legend' }, ...lines, ...boxes), width: x - MARGIN }
}

function onPage({ x, y }: Point): Point {
  return { x: x + MARGIN, y: y + TOP }
}
