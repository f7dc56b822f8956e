import type { IToken } from 'chevrotain'
import type {
  ArgInstruction,
  ExposeInstruction,
  FromInstruction,
  KeyValue,
  StageInstruction,
  Word,
} from '../ast/ast.ts'
import { withoutLooseEscape } from '../text/scan.ts'
import { nearest } from '../text/suggest.ts'
import { type Children, childrenOf, tokenOf, tokensOf } from './cst.ts'
import { readFlags, warnOfFlags } from './flags.ts'
import type { Site } from './site.ts'

const INSTRUCTION_NAMES = [
  ...['ADD', 'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'HEALTHCHECK', 'LABEL'],
  ...['MAINTAINER', 'ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'],
]

/** FROM and EXPOSE. */
export function toListInstruction(
  children: Children,
  site: Site,
): FromInstruction | ExposeInstruction | undefined {
  const keyword = tokenOf(children, 'keyword')
  if (keyword === undefined) return undefined
  const words = tokensOf(children, 'Word').map((token) => site.word(token))
  if (keyword.image.toLowerCase() === 'from') return toFrom(words, { children, keyword, site })
  readFlags(childrenOf(children, 'flags'), 'expose', site)
  if (words.length === 0) site.fail('EXPOSE requires at least one argument')
  return { kind: 'expose', ...site.node(keyword, children), ports: words }
}

interface FromContext {
  readonly children: Children
  readonly keyword: IToken
  readonly site: Site
}

function toFrom(
  words: readonly Word[],
  { children, keyword, site }: FromContext,
): FromInstruction | undefined {
  const flags = readFlags(childrenOf(children, 'flags'), 'from', site)
  const [image, separator, as] = words
  const isNamed = words.length === 3 && separator?.raw.toLowerCase() === 'as'
  if (image === undefined || (words.length !== 1 && !isNamed)) {
    site.fail('FROM requires either one or three arguments', { hint: 'write FROM image [AS name]' })
    return undefined
  }
  if (as !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(as.raw.toLowerCase())) {
    const quoted = JSON.stringify(as.raw)
    site.fail(
      `invalid name for build stage: ${quoted}, name can't start with a number or contain symbols`,
      { range: as.range },
    )
  }
  return {
    kind: 'from',
    ...site.node(keyword, children),
    image,
    platform: flags.one('platform'),
    asKeyword: separator,
    as,
  }
}

/** ENV and LABEL. */
export function toPairsInstruction(children: Children, site: Site): StageInstruction | undefined {
  const keyword = tokenOf(children, 'keyword')
  if (keyword === undefined) return undefined
  const name = keyword.image.toUpperCase()
  readFlags(childrenOf(children, 'flags'), name.toLowerCase(), site)
  const entries = entriesOf(children, name, site)
  if (entries.length === 0 && !site.hasFailed) site.fail(`${name} requires at least one argument`)
  if (!site.hasFailed && entries.some(({ key }) => key.raw === '')) {
    site.fail(`${name} names can not be blank`)
  }
  const legacy = tokenOf(children, 'LegacyKey') !== undefined
  const kind = name === 'ENV' ? 'env' : 'label'
  return { kind, ...site.node(keyword, children), legacy, entries }
}

/** `key=value …`, or the old form: one key, white space, and a value to the end of the line. */
function entriesOf(children: Children, name: string, site: Site): readonly KeyValue[] {
  const legacy = tokenOf(children, 'LegacyKey')
  if (legacy !== undefined) {
    const text = tokenOf(children, 'Text')
    if (text !== undefined) return [{ key: site.word(legacy), value: site.word(text) }]
    if (withoutLooseEscape(legacy.image, site.escape) === '') return []
    site.fail(`${name} must have two arguments`, { code: 'line', hint: `write ${name} key=value` })
    return []
  }
  const entries: KeyValue[] = []
  for (const { token, text } of quotedWords(children, site)) {
    const equals = text.indexOf('=')
    if (equals < 0) {
      const quoted = JSON.stringify(text)
      site.fail(`Syntax error - can't find = in ${quoted}. Must be of the form: name=value`, {
        code: 'line',
        range: site.range(token),
        hint: 'write name=value everywhere, and put values with white space in quotes',
      })
      continue
    }
    const value = site.word(token, equals + 1, text.length)
    entries.push({ key: site.word(token, 0, equals), value })
  }
  return entries
}

interface QuotedWord {
  readonly token: IToken
  readonly text: string
}

/**
 * The words of ENV, LABEL and ARG; an escape at the end of the line is not part of the last one.
 */
function quotedWords(children: Children, site: Site): readonly QuotedWord[] {
  return tokensOf(children, 'QuotedWord')
    .map((token) => ({ token, text: withoutLooseEscape(token.image, site.escape) }))
    .filter(({ text }) => text !== '')
}

/** ARG. */
export function toArg(children: Children, site: Site): ArgInstruction | undefined {
  const keyword = tokenOf(children, 'keyword')
  if (keyword === undefined) return undefined
  warnOfFlags(childrenOf(children, 'flags'), 'ARG', site)
  const words = quotedWords(children, site)
  if (words.length === 0) site.fail('ARG requires at least one argument')
  const args = words.map(({ token, text }) => {
    const equals = text.indexOf('=')
    if (equals === 0) site.fail('ARG names can not be blank', { range: site.range(token) })
    const range = site.range(token, 0, text.length)
    if (equals < 0) return { key: text, value: undefined, range }
    const value = site.word(token, equals + 1, text.length)
    return { key: text.slice(0, equals), value, range }
  })
  return { kind: 'arg', ...site.node(keyword, children), args }
}

/** WORKDIR, USER, STOPSIGNAL, MAINTAINER, and unknown instructions. */
export function toTextInstruction(children: Children, site: Site): StageInstruction | undefined {
  const keyword = tokenOf(children, 'keyword')
  if (keyword === undefined) return undefined
  const name = keyword.image.toUpperCase()
  if (!INSTRUCTION_NAMES.includes(name)) {
    // Text in UTF-16 has a zero byte after each ASCII character.
    const hint = name.includes('\0') ? 'save the file as UTF-8' : undefined
    site.fail(unknownInstruction(keyword.image), { range: site.range(keyword), hint })
    return undefined
  }
  const flags = childrenOf(children, 'flags')
  if (name === 'STOPSIGNAL') warnOfFlags(flags, name, site)
  else readFlags(flags, name.toLowerCase(), site)
  const text = tokenOf(children, 'Text')
  if (text === undefined) {
    site.fail(`${name} requires exactly one argument`)
    return undefined
  }
  const node = site.node(keyword, children)
  switch (name) {
    case 'WORKDIR':
      return { kind: 'workdir', ...node, path: site.word(text) }
    case 'USER':
      return { kind: 'user', ...node, user: site.word(text) }
    case 'STOPSIGNAL':
      return { kind: 'stopsignal', ...node, signal: site.word(text) }
    default:
      return { kind: 'maintainer', ...node, name: text.image }
  }
}

/** The suggestion is in lower case unless the word is all in upper case. */
function unknownInstruction(word: string): string {
  const shown = word.length > 100 ? `${word.slice(0, 100)}…` : word
  const meant = nearest(word.toUpperCase(), INSTRUCTION_NAMES)
  if (meant === undefined) return `unknown instruction: ${shown}`
  const styled = word === word.toUpperCase() ? meant : meant.toLowerCase()
  return `unknown instruction: ${shown} (did you mean ${styled}?)`
}
