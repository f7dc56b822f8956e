import assert from 'node:assert/strict'

/** An element of an SVG file, as an independent reader sees it. */
export interface SvgElement {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly SvgElement[]
  /** Of the element itself, without its children. */
  readonly text: string
}

interface OpenElement extends SvgElement {
  readonly attributes: Map<string, string>
  readonly children: SvgElement[]
  text: string
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
}
const ILLEGAL = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

/** Reads a strict subset of XML: no comments, CDATA, processing instructions or document types. */
export function readSvg(xml: string): SvgElement {
  assert.doesNotMatch(xml, ILLEGAL)
  const root: OpenElement = { name: '', attributes: new Map(), children: [], text: '' }
  const stack = [root]
  const top = (): OpenElement => stack.at(-1) ?? assert.fail('too many end tags')
  let rest = xml
  while (rest !== '') {
    const token = /^(?:<(\/?)([a-z][A-Za-z]*)((?:\s+[A-Za-z:-]+="[^"<]*")*)\s*(\/?)>|[^<]+)/.exec(
      rest,
    )
    assert.ok(token, `not well-formed: ${rest.slice(0, 80)}`)
    rest = rest.slice(token[0].length)
    const [whole, isEnd, name, attributes = '', isEmpty] = token
    if (name === undefined) {
      top().text += decoded(whole)
    } else if (isEnd === '/') {
      assert.equal(name, top().name)
      stack.pop()
    } else {
      const element: OpenElement = { name, attributes: pairs(attributes), children: [], text: '' }
      top().children.push(element)
      if (isEmpty !== '/') stack.push(element)
    }
  }
  assert.equal(stack.length, 1, `${top().name} is not closed`)
  const [svg, ...others] = root.children
  assert.deepEqual([others, root.text.trim()], [[], ''])
  return svg ?? assert.fail('no element')
}

function pairs(text: string): Map<string, string> {
  const found = [...text.matchAll(/([A-Za-z:-]+)="([^"]*)"/g)]
  const map = new Map(found.map(([, key = '', value = '']) => [key, decoded(value)]))
  assert.equal(map.size, found.length, 'an attribute is given twice')
  return map
}

function decoded(text: string): string {
  return text.replace(/&([^;]*;)?/g, (_, name: string | undefined) => {
    return ENTITIES[name?.slice(0, -1) ?? ''] ?? assert.fail(`unknown entity: ${text}`)
  })
}

/** An element and everything in it, outermost first. */
export function allOf(element: SvgElement): readonly SvgElement[] {
  return [element, ...element.children.flatMap(allOf)]
}

/** The text of an element and of everything in it, as it is read. */
export function textOf(element: SvgElement): string {
  return element.children.map(textOf).join('') + element.text
}

export function numberOf({ attributes, name }: SvgElement, key: string): number {
  const value = Number(attributes.get(key) ?? Number.NaN)
  assert.ok(Number.isFinite(value), `${name} has no ${key}`)
  return value
}

export function hasClass({ attributes }: SvgElement, name: string): boolean {
  return attributes.get('class')?.split(' ').includes(name) === true
}
