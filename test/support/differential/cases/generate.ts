import fc, { type Arbitrary } from 'fast-check'
import { plainCase } from './plain-case.ts'
import type { DifferentialCase } from './tables.ts'

/**
 * Dockerfiles made by chance, the same for the same seed: valid ones mostly, of words that
 * `docker/dockerfile` 1.2 knows and reads as later releases do.
 */
export function generateCases(seed: number, count: number): readonly DifferentialCase[] {
  return fc.sample(dockerfile(), { seed, numRuns: count }).map((text, index) => ({
    ...plainCase(`by chance: ${seed}/${index}`, text),
    files: FILES,
    isFree: true,
  }))
}

const FILES: readonly string[] = ['a', 'b 0600', 'd/c', 'd/e/f 0755', 'l -> d']

const name = fc.constantFrom('A', 'b', 'C_d', 'e1', 'PATH', '_f')
const plain = fc.constantFrom(
  'x',
  'yz',
  'a.b',
  '/p/q',
  '1',
  '-',
  ':',
  'é',
  '语',
  '#',
  '@',
  '=',
  ',',
)
const escaped = fc.constantFrom('\\\\', '\\ z', '\\x', '\\$', '\\"', "\\'")
const item = fc.string({ maxLength: 6, unit: fc.constantFrom(...'ab $\\"\'{}\n\t&<é') })
const path = fc
  .array(fc.constantFrom('a', 'b c', '..', '.', 'é'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'))

/** Expansions and pieces of words that are mistakes, or mostly are. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: these are Dockerfile's
const MISTAKES = ['"', "'", '$', '$$', '$1', '${', '${}', '${A:=b}', '${A:?gone}', '$.']

const variable: Arbitrary<string> = fc.oneof(
  name.map((one) => `$${one}`),
  name.map((one) => `\${${one}}`),
  fc
    .tuple(name, fc.constantFrom(':-', ':+'), plain)
    .map(([one, modifier, word]) => `\${${one}${modifier}${word}}`),
)

/** Either all is well formed, or each piece may be a mistake. */
function vocabulary(
  isWild: boolean,
): Readonly<Record<'word' | 'words' | 'pairs', Arbitrary<string>>> {
  const inner = fc.array(fc.oneof(plain, plain, variable, fc.constantFrom(' ', '  ')), {
    maxLength: 3,
  })
  const quoted = fc.tuple(inner, fc.constantFrom('"', '"', "'")).map(([parts, quote]) => {
    return `${quote}${parts.join('')}${quote}`
  })
  const piece = fc.oneof(
    { weight: 8, arbitrary: plain },
    { weight: 4, arbitrary: variable },
    { weight: 2, arbitrary: escaped },
    { weight: 4, arbitrary: quoted },
    { weight: isWild ? 2 : 0, arbitrary: fc.constantFrom(...MISTAKES) },
  )
  const word = fc.array(piece, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''))
  const key = isWild ? fc.oneof(name, name, word) : name
  return {
    word,
    words: fc.array(word, { minLength: 1, maxLength: 3 }).map((all) => all.join(' ')),
    pairs: fc
      .array(fc.tuple(key, word), { minLength: 1, maxLength: 3 })
      .map((all) => all.map((both) => both.join('=')).join(' ')),
  }
}

const SOURCES = ['a', 'a b', 'd', 'l', '*', 'd/?', '"d", "a"']

/** The words of COPY, as a list where the sources are quoted. */
function copied([from, to]: readonly [string, string]): string {
  return from.startsWith('"') ? `[${from}, "/${to}/"]` : `${from} /${to.replaceAll(' ', '')}/`
}

type Choice = readonly [keyword: string, rest: Arbitrary<string>]

/** What can stand behind each word; some stand there more than once, to be more frequent. */
function instructionsOf(isWild: boolean): readonly Choice[] {
  const { word, words, pairs } = vocabulary(isWild)
  const legacy = fc.tuple(name, words).map((both) => both.join(' '))
  const list = fc
    .array(item, { minLength: isWild ? 0 : 1, maxLength: 3 })
    .map((all) => JSON.stringify(all))
  const command = fc.oneof(list, words)
  const ports = isWild ? ['1/x', '$A', '70000', '9-8'] : []
  const port = fc.constantFrom('80', '443/tcp', '53/UDP', '8000-8002', '1:2', ...ports)
  const time = fc.constantFrom('1s', '"2m"', '3h4m', '1.5s', '10ms', ...(isWild ? ['x', '10'] : []))
  const signal = fc.constantFrom(
    'SIGTERM',
    'KILL',
    '9',
    'RTMIN+2',
    '"INT"',
    ...(isWild ? ['no', '$A'] : []),
  )
  return [
    ['ENV', pairs],
    ['ENV', pairs],
    ['ENV', legacy],
    ['LABEL', pairs],
    ['LABEL', legacy],
    ['ARG', name],
    ['ARG', fc.tuple(name, word).map((both) => both.join('='))],
    ['CMD', command],
    ['ENTRYPOINT', command],
    ['SHELL', list],
    ['EXPOSE', fc.array(port, { minLength: 1, maxLength: 3 }).map((all) => all.join(' '))],
    ['VOLUME', fc.oneof(list, words)],
    ['USER', fc.constantFrom('5', '6:7', '"8"', ...(isWild ? ['$A', "'9"] : []))],
    ['WORKDIR', path],
    ['STOPSIGNAL', signal],
    ['MAINTAINER', words],
    ['HEALTHCHECK', command.map((text) => `CMD ${text}`)],
    [
      'HEALTHCHECK',
      fc
        .tuple(time, fc.integer({ min: 1, max: 70 }), command)
        .map(([every, tries, text]) => `--interval=${every} --retries=${tries} CMD ${text}`),
    ],
    ['ONBUILD', pairs.map((text) => `ENV ${text}`)],
    ['ONBUILD', command.map((text) => `CMD ${text}`)],
    ['COPY', fc.tuple(fc.constantFrom(...SOURCES, ...(isWild ? ['none'] : [])), path).map(copied)],
  ]
}

/** How a line is laid out: broken at its last blank, with comments and empty lines about it. */
const layout = fc.record({
  breaks: fc.boolean(),
  between: fc.constantFrom('', '', '# comment\n', '  # indented\n'),
  before: fc.constantFrom('', '', '', '\n', '# comment \\\n', '\t'),
})

interface Layout {
  readonly breaks: boolean
  readonly between: string
  readonly before: string
}

function layOut(text: string, { breaks, between, before }: Layout): string {
  return `${before}${breaks ? text.replace(/(?<!\\) (?=[^ ]*$)/, ` \\\n${between}  `) : text}\n`
}

function stageOf(isWild: boolean): Arbitrary<string> {
  const line = fc
    .constantFrom(...instructionsOf(isWild))
    .chain(([keyword, rest]) =>
      fc.tuple(fc.constantFrom(keyword, keyword.toLowerCase()), rest, layout),
    )
    .map(([keyword, rest, form]) => layOut(`${keyword} ${rest}`, form))
  return fc.array(line, { minLength: 1, maxLength: isWild ? 3 : 8 }).map((lines) => lines.join(''))
}

function dockerfile(): Arbitrary<string> {
  const isOneIn = (count: number): Arbitrary<boolean> => {
    return fc.nat(count - 1).map((number) => number === 0)
  }
  return isOneIn(4).chain((isWild) =>
    fc
      .record({
        head: fc.constantFrom('', '', '# comment\n', 'ARG base=busybox\n', '# escape=\\\n'),
        base: fc.constantFrom('scratch', 'scratch', 'busybox'),
        first: stageOf(isWild),
        second: fc.option(stageOf(isWild), { nil: undefined }),
        isCrlf: isOneIn(10),
      })
      .map(({ head, base, first, second, isCrlf }) => {
        const child = second === undefined ? '' : `FROM first\n${second}`
        const from = head.startsWith('ARG') ? '$base' : base
        const text = `${head}FROM ${from} AS first\n${first}${child}`
        return isCrlf ? text.replaceAll('\n', '\r\n') : text
      }),
  )
}
