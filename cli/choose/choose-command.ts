import { statSync } from 'node:fs'
import { suggestion, usageError } from '#core'
import type { Flag } from '../arguments/flags.ts'
import type { Command } from '../commands/command.ts'
import { COMMANDS } from './table.ts'

/** A command and the arguments that are for it. */
export interface Choice {
  readonly command: Command
  /** The command line without the command's name. */
  readonly rest: readonly string[]
}

/**
 * The command that a command line is for. Its name is the first word, or the first behind flags: there
 * a folder of that name wins, as the context of a build.
 * @throws {TsbuildError} USAGE for flags in front of a command that it does not take
 */
export function chooseCommand(argv: readonly string[]): Choice {
  const words = splitWords(argv, FLAGS)
  const [first, second] = words.positionals
  const command = COMMANDS.find(({ name }) => first !== undefined && name === argv[first])
  if (first === undefined || command === undefined) return { command: COMMANDS[0], rest: argv }
  const isContext = first > 0 && second === undefined && isThere(argv[first] ?? '')
  if (isContext) return { command: COMMANDS[0], rest: argv }
  for (const { at, flag, written } of words.flags) {
    if (at > first || command.flags.some(({ name }) => name === flag.name)) continue
    const hint = `tsbuild ${command.name} --help lists its flags; they may stand behind it, too`
    throw usageError(`tsbuild ${command.name} takes no ${written}`, hint)
  }
  return { command, rest: argv.toSpliced(first, 1) }
}

/**
 * The command of a group that a command line is for; `undefined` when it names none.
 * @throws {TsbuildError} USAGE for a name that is not one of them
 */
export function chooseSubcommand(group: Command, argv: readonly string[]): Choice | undefined {
  const { subcommands = [] } = group
  const [first] = splitWords(argv, group.flags).positionals
  const name = first === undefined ? undefined : argv[first]
  if (first === undefined || name === undefined) return undefined
  const command = subcommands.find((one) => one.name === name || one.aliases?.includes(name))
  if (command !== undefined) return { command, rest: argv.toSpliced(first, 1) }
  const similar = suggestion(
    name,
    subcommands.map((one) => one.name),
  )
  const hint =
    similar === undefined
      ? `tsbuild ${group.name} --help lists them`
      : `did you mean tsbuild ${group.name} ${similar}?`
  throw usageError(`unknown command: tsbuild ${group.name} ${name}`, hint)
}

interface Words {
  /** Places of what is neither a flag nor the value of one. */
  readonly positionals: readonly number[]
  readonly flags: readonly (Pick<Found, 'flag' | 'written'> & { readonly at: number })[]
}

/** @param flags of all commands that may be meant, which is still to be found out */
function splitWords(argv: readonly string[], flagsOfAll: readonly Flag[]): Words {
  const positionals: number[] = []
  const flags: Words['flags'][number][] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '--') break
    if (!word.startsWith('-') || word === '-') {
      positionals.push(at)
      continue
    }
    const found = word.startsWith('--') ? readLong(word, flagsOfAll) : readShort(word, flagsOfAll)
    for (const { flag, written } of found) flags.push({ at, flag, written })
    if (found.at(-1)?.takesNext === true) at++
  }
  return { positionals, flags }
}

const FLAGS: readonly Flag[] = COMMANDS.flatMap(({ flags }) => flags)

interface Found {
  readonly flag: Flag
  /** As it stands in the command line, without a value. */
  readonly written: string
  /** The next word is its value. */
  readonly takesNext: boolean
}

/** `--name` or `--name=value`. */
function readLong(word: string, known: readonly Flag[]): readonly Found[] {
  const [written = ''] = word.split('=', 1)
  const flag = known.find(({ name }) => name === written.slice(2))
  if (flag === undefined) return []
  return [{ flag, written, takesNext: flag.metavar !== undefined && written === word }]
}

/** `-qt`: the first one that takes a value takes what is left of the word, or the next word. */
function readShort(word: string, known: readonly Flag[]): readonly Found[] {
  const found: Found[] = []
  for (let index = 1; index < word.length; index++) {
    const flag = known.find(({ short }) => short === word[index])
    if (flag === undefined) return found
    const takesValue = flag.metavar !== undefined
    const takesNext = takesValue && index === word.length - 1
    found.push({ flag, written: `-${word[index]}`, takesNext })
    if (takesValue) return found
  }
  return found
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
