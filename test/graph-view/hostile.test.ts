import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type GraphFormat, renderGraph } from '#graph-view'
import { fixture, renamed } from './graphs.ts'
import { readPicture } from './picture.ts'
import { allOf } from './svg-reader.ts'

const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '</title><script>alert(1)</script>',
  '</text></g></svg><svg onload="alert(1)">',
  '"onmouseover="alert(1)',
  "' x='",
  ']]><!-- & &lt; &#x41; --><?x?>',
  '\u0000\u0001\u0008\u001b[31m\u007f\u009b',
  '\u202egnp.exe\u2066\u2028\u2029\u200b',
  '\ud800 \udfff \uffff',
  'a"]; evil [label="b',
  'a\\',
  'a\\" -> b',
  '"] click stage0 "javascript:alert(1)" %% ',
  '%%{init: {"securityLevel": "loose"}}%%',
  'style x: #1; classDef y:#2;',
  '`code` **bold** $$x^2$$ #35; #quot;',
  '}\nsubgraph x\nend\n',
]

const LINE_BY_LINE: Readonly<Record<'dot' | 'mermaid', readonly RegExp[]>> = {
  dot: [
    /^digraph Dockerfile \{$/,
    /^ {2}(?:graph|node|edge) \[[\w=", ]+\]$/,
    /^ {2}image_\d+ \[label="(?:[^"\\]|\\["\\])*", shape=ellipse\]$/,
    /^ {2}subgraph cluster_\d+ \{$/,
    /^ {4}label="(?:[^"\\]|\\["\\])*"$/,
    /^ {4}style=(?:bold|solid|dashed)$/,
    /^ {4}i\d+_\d+ \[label="(?:[^"\\]|\\["\\])*", tooltip="(?:[^"\\]|\\["\\])*"\]$/,
    /^ {4}i\d+_\d+(?: -> i\d+_\d+)+$/,
    /^ {2}\w+ -> i\d+_\d+ \[style=(?:bold|solid|dotted), label="(?:FROM|COPY|mount)"\]$/,
    /^ {2}\}$/,
    /^\}$/,
  ],
  mermaid: [
    /^flowchart TB$/,
    /^ {2}image\d+\(\["(?:[^"<>&#%\\`]|#\d+;)*"\]\)$/,
    /^ {2}stage\d+\["(?:[^"<>&#%\\`]|#\d+;|<br\/>)*"\]$/,
    /^ {2}(?:stage|image)\d+ (?:==>|-->|-\.->)\|"(?:FROM|COPY|mount) [\d, ]+"\| stage\d+$/,
    /^ {2}classDef (?:default|target|unneeded) [\w:,. -]+$/,
    /^ {2}class stage\d+ (?:target|unneeded)$/,
  ],
}

/** Every line is one that the format has; nothing that stands in a name makes another. */
function checkLines(format: 'dot' | 'mermaid', text: string): void {
  for (const line of text.trimEnd().split('\n')) {
    assert.ok(
      LINE_BY_LINE[format].some((pattern) => pattern.test(line)),
      line,
    )
  }
}

/** Names that are used are declared, and every bracket is closed. */
function checkDot(text: string): void {
  checkLines('dot', text)
  const bare = text.replace(/"(?:[^"\\]|\\["\\])*"/g, '""')
  assert.equal(bare.match(/\{/g)?.length, bare.match(/\}/g)?.length)
  const declared = new Set([...bare.matchAll(/^ +(\w+) \[label/gm)].map(([, id]) => id))
  const used = [...bare.matchAll(/\b(?:i\d+_\d+|image_\d+)\b/g)].map(([id]) => id)
  assert.ok(declared.size > 1)
  assert.deepEqual(new Set(used), declared)
}

function hostile(word: string, name = 'platform'): Parameters<typeof renderGraph>[0] {
  return renamed(fixture(name), { stage: word, text: `RUN ${word}`, image: word })
}

describe('renderGraph: hostile words', () => {
  for (const word of HOSTILE) {
    it(JSON.stringify(word), () => {
      const graph = hostile(word)
      const svg = renderGraph(graph, 'svg')
      const names = new Set(allOf(readPicture(svg).svg).map(({ name }) => name))
      assert.deepEqual([...names].toSorted(), [
        'circle',
        'g',
        'path',
        'rect',
        'style',
        'svg',
        'text',
        'title',
        'tspan',
      ])
      checkDot(renderGraph(graph, 'dot'))
      checkLines('mermaid', renderGraph(graph, 'mermaid'))
      const formats: readonly GraphFormat[] = ['text', 'json', 'dot', 'svg', 'mermaid']
      for (const format of formats) {
        const lines = renderGraph(graph, format).split('\n').join('')
        assert.doesNotMatch(lines, /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\u2028\u2029]/u, format)
      }
    })
  }

  it('of any kind', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc
        .array(fc.constantFrom(...HOSTILE, '"', '\\', '#', ';', '\n', ':'), { maxLength: 4 })
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(word, (text) => {
        const graph = hostile(text, 'shop')
        readPicture(renderGraph(graph, 'svg'))
        checkDot(renderGraph(graph, 'dot'))
        checkLines('mermaid', renderGraph(graph, 'mermaid'))
        JSON.parse(renderGraph(graph, 'json'))
      }),
      { numRuns: 200 },
    )
  })

  it('keep their meaning where they are escaped', () => {
    const graph = hostile('a"b\\c&lt;d', 'single')
    assert.ok(renderGraph(graph, 'dot').includes('RUN a\\"b\\\\c&amp;lt;d'))
    assert.ok(renderGraph(graph, 'mermaid').includes('RUN a#34;b#92;c#38;lt;d'))
    assert.ok(renderGraph(graph, 'svg').includes(' a&quot;b\\c&amp;lt;d'))
  })
})
