import type { IToken } from 'chevrotain'
import type {
  AddInstruction,
  CopyInstruction,
  Heredoc,
  InstructionBase,
  StageInstruction,
  VolumeInstruction,
  Word,
} from '../ast/ast.ts'
import { parseHeredocWord } from '../lines/heredocs.ts'
import { trimSpace } from '../text/characters.ts'
import { stringSpans } from '../text/scan.ts'
import { toStrings } from './command-ast.ts'
import { type Children, childrenOf, tokenOf, tokensOf } from './cst.ts'
import { type Flags, readFlags } from './flags.ts'
import type { Site } from './site.ts'

/** COPY, ADD and VOLUME. */
export function toFilesInstruction(children: Children, site: Site): StageInstruction | undefined {
  const keyword = tokenOf(children, 'keyword')
  if (keyword === undefined) return undefined
  const kind = keyword.image.toLowerCase()
  const flags = readFlags(childrenOf(children, 'flags'), kind, site)
  const words = wordsOf(children, site)
  if (words === undefined) return undefined
  const json = tokenOf(children, 'Json') !== undefined
  const node = site.node(keyword, children)
  if (kind === 'volume') return toVolume({ ...node, json, paths: words }, site)
  const placed = placeFiles(words, keyword, site)
  if (placed === undefined) return undefined
  const common = {
    ...node,
    args: words,
    json,
    ...placed,
    chown: flags.one('chown'),
    chmod: flags.one('chmod'),
    link: flags.isOn('link') ?? false,
    exclude: flags.many('exclude'),
  }
  return kind === 'add' ? toAdd(common, flags) : toCopy(common, flags)
}

type CopyArguments = Pick<CopyInstruction, 'sources' | 'inline' | 'destination' | 'heredocs'>

type Common = CopyArguments &
  InstructionBase &
  Pick<CopyInstruction, 'args' | 'json' | 'chown' | 'chmod' | 'link' | 'exclude'>

function toAdd(common: Common, flags: Flags): AddInstruction {
  return {
    kind: 'add',
    ...common,
    checksum: flags.one('checksum'),
    keepGitDir: flags.isOn('keep-git-dir'),
    unpack: flags.isOn('unpack'),
  }
}

function toCopy(common: Common, flags: Flags): CopyInstruction {
  const parents = flags.isOn('parents') ?? false
  return { kind: 'copy', ...common, from: flags.one('from'), parents }
}

function toVolume(volume: Omit<VolumeInstruction, 'kind'>, site: Site): VolumeInstruction {
  const { paths } = volume
  if (paths.length === 0) site.fail('VOLUME requires at least one argument')
  for (const { raw, range } of paths) {
    if (trimSpace(raw) === '') site.fail('VOLUME specified can not be an empty string', { range })
  }
  return { kind: 'volume', ...volume }
}

/** The last word is the destination; those before it are files, or heredocs that become files. */
function placeFiles(
  words: readonly Word[],
  keyword: IToken,
  site: Site,
): CopyArguments | undefined {
  const name = keyword.image.toUpperCase()
  const destination = words.at(-1)
  if (destination === undefined || words.length < 2) {
    site.fail(
      `${name} requires at least two arguments, but only one was provided. Destination could not be determined`,
      { hint: `write ${name} source destination` },
    )
    return undefined
  }
  const { heredocs } = site.line
  if (parseHeredocWord(destination.raw) !== undefined) {
    const { range } = destination
    site.fail(`${name} cannot accept a heredoc as a destination`, { range })
  }
  const bodies = new Map(heredocs.map((heredoc) => [heredoc.name, heredoc]))
  const sources: Word[] = []
  const inline: Heredoc[] = []
  for (const word of words.slice(0, -1)) {
    const heredoc = inlineFile(word, bodies)
    if (heredoc === undefined) sources.push(word)
    else inline.push(heredoc)
  }
  return { sources, inline, destination, heredocs }
}

/** All heredocs of a name have the last body of that name; without a body, the file is empty. */
function inlineFile(
  { raw, range }: Word,
  bodies: ReadonlyMap<string, Heredoc>,
): Heredoc | undefined {
  const head = parseHeredocWord(raw)
  if (head === undefined) return undefined
  const body = bodies.get(head.name)
  return { ...head, content: body?.content ?? '', range: body?.range ?? range }
}

/** JSON elements or words; `undefined` when it is JSON of the wrong kind. */
function wordsOf(children: Children, site: Site): readonly Word[] | undefined {
  const json = tokenOf(children, 'Json')
  if (json === undefined) return tokensOf(children, 'Word').map((token) => site.word(token))
  const strings = toStrings(json, site)
  if (strings === undefined) return undefined
  const spans = stringSpans(json.image)
  return strings.map((raw, index) => {
    const [start, end] = spans[index] ?? [0, json.image.length]
    return { raw, range: site.range(json, start, end) }
  })
}
