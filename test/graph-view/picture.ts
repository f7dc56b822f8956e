import assert from 'node:assert/strict'
import { allOf, hasClass, numberOf, readSvg, type SvgElement, textOf } from './svg-reader.ts'

/** Pixels that a character of any usual monospace font of 12 pixels takes. */
const CHARACTER = 7.25

interface Rectangle {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

interface Point {
  readonly x: number
  readonly y: number
}

/** What can be seen of a picture. */
export interface Picture {
  readonly stages: readonly SvgElement[]
  readonly svg: SvgElement
}

/**
 * Reads a picture and checks what must hold for each: well-formed, boxes and text apart from each
 * other and on the page, text in its box, arrows around boxes.
 */
export function readPicture(xml: string): Picture {
  const svg = readSvg(xml)
  const page = {
    left: 0,
    top: 0,
    right: numberOf(svg, 'width'),
    bottom: numberOf(svg, 'height'),
  }
  const stages = allOf(svg).filter((element) => hasClass(element, 'stage'))
  const boxes = stages.map(boxOf)
  for (const [index, box] of boxes.entries()) {
    assert.ok(isInside(box, page), 'a box is not on the page')
    for (const other of boxes.slice(index + 1)) assert.ok(!overlap(box, other), 'boxes overlap')
  }
  for (const [index, stage] of stages.entries()) checkTexts(stage, boxes[index] ?? page)
  for (const text of allOf(svg).filter(({ name }) => name === 'text')) {
    assert.ok(isInside(extentOf(text), page), `${textOf(text)} is not on the page`)
  }
  for (const line of allOf(svg).filter((element) => hasClass(element, 'line'))) {
    for (const point of pointsOf(line.attributes.get('d') ?? '')) {
      assert.ok(isInside(dot(point), page), 'a line leaves the page')
      assert.ok(!boxes.some((box) => overlap(dot(point), box)), 'a line crosses a box')
    }
  }
  return { stages, svg }
}

function checkTexts(stage: SvgElement, box: Rectangle): void {
  const extents = allOf(stage)
    .filter(({ name }) => name === 'text')
    .map(extentOf)
  for (const [index, extent] of extents.entries()) {
    assert.ok(isInside(extent, box), 'text leaves its box')
    for (const other of extents.slice(index + 1, index + 4)) {
      assert.ok(!overlap(extent, other), 'texts overlap')
    }
  }
}

function boxOf(stage: SvgElement): Rectangle {
  const box = allOf(stage).find((element) => hasClass(element, 'box'))
  assert.ok(box)
  const [left, top] = [numberOf(box, 'x'), numberOf(box, 'y')]
  return { left, top, right: left + numberOf(box, 'width'), bottom: top + numberOf(box, 'height') }
}

/** Only text with a length of its own may have other than the plainest characters. */
function extentOf(text: SvgElement): Rectangle {
  const shown = textOf(text)
  if (!text.attributes.has('textLength')) assert.match(shown, /^[ -~·…→]*$/)
  const length = text.attributes.has('textLength')
    ? numberOf(text, 'textLength')
    : shown.length * CHARACTER
  const x = numberOf(text, 'x')
  const left = text.attributes.get('text-anchor') === 'end' ? x - length : x
  const y = numberOf(text, 'y')
  return { left, right: left + length, top: y - 11, bottom: y + 3 }
}

/** Points along a path of M, H, V and C commands, close to each other. */
function pointsOf(path: string): readonly Point[] {
  const points: Point[] = []
  let at: Point = { x: 0, y: 0 }
  const walk = (to: (share: number) => Point): void => {
    for (let step = 0; step <= 24; step++) points.push(to(step / 24))
    at = to(1)
  }
  for (const [, command = '', text = ''] of path.matchAll(/([MHVC])([^MHVC]*)/g)) {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = text.trim().split(' ').map(Number)
    const start = at
    if (command === 'M') at = { x: a, y: b }
    if (command === 'H') walk((t) => ({ x: start.x + (a - start.x) * t, y: start.y }))
    if (command === 'V') walk((t) => ({ x: start.x, y: start.y + (a - start.y) * t }))
    if (command !== 'C') continue
    const mix = (t: number, p: readonly [number, number, number, number]): number => {
      const u = 1 - t
      return u ** 3 * p[0] + 3 * u * u * t * p[1] + 3 * u * t * t * p[2] + t ** 3 * p[3]
    }
    walk((t) => ({ x: mix(t, [start.x, a, c, e]), y: mix(t, [start.y, b, d, f]) }))
  }
  assert.ok(points.length > 0, `no line: ${path}`)
  return points
}

/** A point, as big as rounding is good for. */
function dot({ x, y }: Point): Rectangle {
  return { left: x, right: x, top: y, bottom: y }
}

function isInside(inner: Rectangle, outer: Rectangle): boolean {
  const { left, right, top, bottom } = outer
  return inner.left >= left && inner.right <= right && inner.top >= top && inner.bottom <= bottom
}

function overlap(one: Rectangle, other: Rectangle): boolean {
  return (
    one.left < other.right &&
    other.left < one.right &&
    one.top < other.bottom &&
    other.top < one.bottom
  )
}
