import type { Command, CopyInstruction, Instruction, OnbuildInstruction } from '../ast/ast.ts'
import { lineEnd, trimSpace } from '../text/characters.ts'
import { parseJsonArray } from '../text/scan.ts'
import { heredocsIn } from './heredocs.ts'

/**
 * The parts that an instruction is printed from, in order: words, texts, and possibly the strings
 * of a JSON array at the end. White space separates them; only `separator` is significant.
 */
export interface InstructionParts {
  readonly parts: readonly (string | readonly string[])[]
  /** A blank, or a vertical tab where blanks would turn words into JSON or a heredoc. */
  readonly separator: ' ' | '\v'
}

/** The parts of an instruction, heredoc bodies left aside. */
export function partsOf(instruction: Instruction): InstructionParts {
  const { keyword, flags } = instruction
  const written = flags.map(({ raw }) => raw)
  if (instruction.kind === 'onbuild') {
    const { parts, separator } = triggerParts(instruction)
    return { parts: [keyword.raw, ...written, ...parts], separator }
  }
  const args = argumentsOf(instruction)
  const [first] = args
  // An argument that looks like a flag needs a `--` before it.
  const end = typeof first === 'string' && first.startsWith('--') ? ['--'] : []
  const isText = args.every((arg) => typeof arg === 'string')
  const isLikeJson = isText && parseJsonArray(args.join(' '), 0) !== undefined
  const isApart = isLikeJson || isLikeHeredoc(instruction, args)
  return { parts: [keyword.raw, ...written, ...end, ...args], separator: isApart ? '\v' : ' ' }
}

/** True when a blank behind a `<<` would make other heredocs: it makes one word of two. */
function isLikeHeredoc(instruction: Instruction, args: Arguments): boolean {
  if (instruction.kind !== 'copy' && instruction.kind !== 'add') return false
  if (!args.some((arg) => typeof arg === 'string' && arg.endsWith('<<'))) return false
  return heredocsIn(args.join(' ')).length !== instruction.heredocs.length
}

/** A trigger with mistakes is printed as written. */
function triggerParts({ instruction, trigger }: OnbuildInstruction): InstructionParts {
  if (instruction !== undefined) return partsOf(instruction)
  return { parts: [trimSpace(trigger.slice(0, lineEnd(trigger, 0)))], separator: ' ' }
}

/** Text as written, or the strings of a JSON array. */
type Arguments = readonly (string | readonly string[])[]

/** What stands behind the flags, in order. */
export function argumentsOf(instruction: Exclude<Instruction, { kind: 'onbuild' }>): Arguments {
  switch (instruction.kind) {
    case 'from': {
      const { image, as, asKeyword } = instruction
      return as === undefined ? [image.raw] : [image.raw, asKeyword?.raw ?? 'AS', as.raw]
    }
    case 'run':
    case 'cmd':
    case 'entrypoint':
      return commandArguments(instruction.command)
    case 'shell':
      return [instruction.shell]
    case 'copy':
    case 'add':
      return wordArguments(instruction.json, instruction.args)
    case 'volume':
      return wordArguments(instruction.json, instruction.paths)
    case 'expose':
      return wordArguments(false, instruction.ports)
    case 'env':
    case 'label': {
      const { legacy, entries } = instruction
      if (legacy) return entries.flatMap(({ key, value }) => [key.raw, value.raw])
      return entries.map(({ key, value }) => `${key.raw}=${value.raw}`)
    }
    case 'arg':
      return instruction.args.map(({ key, value }) => (value ? `${key}=${value.raw}` : key))
    case 'workdir':
      return [instruction.path.raw]
    case 'user':
      return [instruction.user.raw]
    case 'stopsignal':
      return [instruction.signal.raw]
    case 'maintainer':
      return [instruction.name]
    case 'healthcheck': {
      const { check, json } = instruction
      if (check === undefined) return json ? ['NONE', []] : ['NONE']
      return ['CMD', ...commandArguments(check.command)]
    }
  }
}

function commandArguments(command: Command): Arguments {
  if (command.form === 'exec') return [command.args]
  return command.script === '' ? [] : [command.script]
}

function wordArguments(json: boolean, words: CopyInstruction['args']): Arguments {
  const texts = words.map(({ raw }) => raw)
  return json ? [texts] : texts
}
