import type { Point, Rectangle } from './geometry.ts'
import { columnsOf, isAscii, plain, shorten } from './label.ts'
import { FONT_SIZE } from './svg-style.ts'
import type { InstructionView, StageView } from './view.ts'
import { element, escaped, type Markup } from './xml.ts'

/** More than any usual monospace font takes for a character of this size, in pixels. */
const COLUMN = FONT_SIZE * 0.61
const PADDING = 12
const HEADER = 28
const ROW = 18
const BASELINE = 13
/** Room for the dot of an arrow beside a line number. */
const DOT = 5
const MAX_COLUMNS = 50
const MAX_NAME = 30

/** How a stage is drawn, before it has a place; lengths in pixels. */
export interface StageBox {
  readonly stage: StageView
  readonly name: string
  readonly note: string
  readonly rows: readonly string[]
  /** Of the column with line numbers. */
  readonly gutter: number
  readonly width: number
  readonly height: number
  /** Where arrows leave, below the top. */
  readonly outlet: number
}

/** Shortens the texts of a stage and measures its box. */
export function stageBox(stage: StageView): StageBox {
  const name = shorten(stage.label, MAX_NAME)
  const notes = [
    `stage ${stage.index}`,
    ...(stage.isTarget ? ['target'] : []),
    ...(stage.isNeeded ? [] : ['not needed']),
  ]
  const note = notes.join(' · ')
  const rows = stage.instructions.map(({ shown }) => shorten(shown, MAX_COLUMNS))
  const lastLine = stage.instructions.at(-1)?.line ?? 0
  const gutter = DOT + (String(lastLine).length + 1) * COLUMN
  const rowWidth = rows.reduce((most, row) => Math.max(most, textWidth(row)), 0)
  const headerWidth = textWidth(name) + textWidth(note) + 2 * COLUMN
  return {
    stage,
    name,
    note,
    rows,
    gutter,
    width: Math.ceil(2 * PADDING + Math.max(headerWidth, gutter + rowWidth)),
    height: HEADER + rows.length * ROW + PADDING / 2,
    outlet: HEADER / 2,
  }
}

/** Where an arrow to the instruction at this place of the stage arrives, below the top of the box. */
export function inletOf(instruction: number): number {
  return HEADER + ROW * (instruction + 0.5)
}

/** Pixels that a line of text takes at most. */
export function textWidth(text: string): number {
  return columnsOf(text) * COLUMN
}

/** A line of text; `y` is its baseline. What may fall back to other fonts is held to its width. */
export function textLine(
  text: string,
  at: Point,
  options: { readonly class?: string; readonly isEnd?: boolean; readonly word?: number } = {},
): Markup {
  const word = text.slice(0, options.word ?? 0)
  const attributes = {
    class: options.class,
    x: round(at.x),
    y: round(at.y),
    'text-anchor': options.isEnd === true ? 'end' : undefined,
    textLength: isAscii(text) ? undefined : round(textWidth(text)),
    lengthAdjust: isAscii(text) ? undefined : 'spacingAndGlyphs',
  }
  return element(
    'text',
    attributes,
    ...(word === '' ? [] : [element('tspan', { class: 'word' }, escaped(word))]),
    escaped(text.slice(word.length)),
  )
}

/** The box of a stage with everything in it. */
export function drawStage(box: StageBox, { x, y, width, height }: Rectangle): Markup {
  const { stage, name, note, rows } = box
  const isPlain = stage.isNeeded && !stage.isTarget
  const state = isPlain ? '' : stage.isTarget ? ' target' : ' unneeded'
  return element(
    'g',
    { class: `stage${state}` },
    element('title', {}, escaped(`${stage.label} (${note})`)),
    element('rect', { class: 'box', x, y, width, height, rx: 6 }),
    element('path', { class: 'rule', d: `M${x} ${y + HEADER}h${width}` }),
    textLine(name, { x: x + PADDING, y: y + HEADER - 9 }, { class: 'name' }),
    textLine(note, { x: x + width - PADDING, y: y + HEADER - 9 }, { class: 'soft', isEnd: true }),
    rows.map((row, place) => {
      const instruction = stage.instructions[place]
      const top = y + HEADER + place * ROW
      return instruction === undefined ? escaped('') : drawRow(row, instruction, { box, x, top })
    }),
  )
}

function drawRow(
  row: string,
  { line, text }: InstructionView,
  at: { readonly box: StageBox; readonly x: number; readonly top: number },
): Markup {
  const start = at.x + PADDING + at.box.gutter
  const y = at.top + BASELINE
  const word = row.indexOf(' ') < 0 ? row.length : row.indexOf(' ')
  return element(
    'g',
    {},
    element('title', {}, escaped(plain(text))),
    textLine(String(line), { x: start - COLUMN, y }, { class: 'soft', isEnd: true }),
    textLine(row, { x: start, y }, { word }),
  )
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
