/**
 * The normal form of a file: instructions split into flags and arguments, nothing expanded, no
 * positions but lines. For programs that compare or inspect Dockerfiles (`tsbuild parse`).
 */
import type { IToken } from 'chevrotain'
import type { Heredoc, Instruction, OnbuildInstruction } from '../ast/ast.ts'
import { instructionsOf } from '../ast/visit.ts'
import {
  Flag,
  HealthType,
  Json,
  LegacyKey,
  QuotedWord,
  Text,
  UnknownName,
  Word,
} from '../grammar/lexer.ts'
import { lexLine, type ParseResult } from '../grammar/parse.ts'
import { argumentsOf } from '../lines/instruction-parts.ts'
import { lineEnd, trimSpace } from '../text/characters.ts'
import { firstError, lineOf } from '../text/diagnostics.ts'
import { type Escape, parseJsonArray, scanFlag, withoutLooseEscape } from '../text/scan.ts'

/** A Dockerfile as other implementations can print it too, for comparison. */
export interface NormalForm {
  readonly instructions: readonly NormalInstruction[]
  readonly stages: readonly NormalStage[]
}

/** An instruction of a normal form. */
export interface NormalInstruction {
  /** In upper case. */
  readonly instruction: string
  /** `--name=value`, quotes and escapes removed. */
  readonly flags: readonly string[]
  /**
   * Quotes and escapes kept; the strings of a JSON array. One string for a script and for WORKDIR, USER,
   * STOPSIGNAL and MAINTAINER; one a declaration for ARG; key and value in turn for ENV and LABEL;
   * `CMD` and the command, or `NONE`, for HEALTHCHECK; none for ONBUILD.
   */
  readonly args: readonly string[]
  /** True when the arguments were a JSON array. */
  readonly json: boolean
  readonly heredocs: readonly NormalHeredoc[]
  /** 1-based. */
  readonly line: number
  /** Continuations and heredocs included. */
  readonly endLine: number
  /** The trigger; of ONBUILD only. */
  readonly onbuild?: NormalInstruction
}

/** A heredoc of a normal form. */
export interface NormalHeredoc {
  readonly name: string
  /** As it stands in the file, leading tabs included. */
  readonly content: string
  readonly expand: boolean
  readonly chomp: boolean
}

/** A stage of a normal form. */
export interface NormalStage {
  /** In lower case; `null` without AS. */
  readonly name: string | null
  readonly from: string
  readonly platform: string | null
}

/** In place of a normal form, for a file that is not a valid Dockerfile. */
export interface NormalError {
  readonly error: {
    readonly message: string
    /** 1-based. */
    readonly line: number
  }
}

/** The normal form of what was parsed, or the mistake that a build would stop at. */
export function normalForm({ dockerfile, diagnostics }: ParseResult): NormalForm | NormalError {
  const mistake = firstError(diagnostics)
  if (mistake !== undefined) {
    return { error: { message: mistake.message, line: lineOf(mistake) } }
  }
  const { escape: escapeChar, stages } = dockerfile
  return {
    instructions: [...instructionsOf(dockerfile)].map((each) =>
      normalInstruction(each, escapeChar),
    ),
    stages: stages.map(({ name, from }) => ({
      name: name ?? null,
      from: from.image.raw,
      platform: from.platform?.raw ?? null,
    })),
  }
}

function normalInstruction(instruction: Instruction, escapeChar: Escape): NormalInstruction {
  const { kind, flags, lines } = instruction
  const heredocs =
    'heredocs' in instruction && instruction.kind !== 'onbuild' ? instruction.heredocs : []
  return {
    instruction: kind.toUpperCase(),
    flags: flags.map(({ raw }) => scanFlag(raw, 0, escapeChar).value),
    ...argumentsIn(instruction),
    heredocs: heredocs.map(normalHeredoc),
    line: lines.first,
    endLine: lines.last,
    ...(instruction.kind === 'onbuild' ? { onbuild: normalTrigger(instruction, escapeChar) } : {}),
  }
}

/** A trigger with mistakes is split as far as its tokens allow. */
function normalTrigger(onbuild: OnbuildInstruction, escapeChar: Escape): NormalInstruction {
  const { instruction, trigger, heredocs, lines } = onbuild
  if (instruction !== undefined) return normalInstruction(instruction, escapeChar)
  const line = trimSpace(trigger.slice(0, lineEnd(trigger, 0)))
  const [, keyword, ...tokens] = lexLine(line, escapeChar)
  const flags = tokens.filter(({ tokenType }) => tokenType === Flag)
  const name = keyword?.image.toUpperCase() ?? ''
  const arePairs = name === 'ENV' || name === 'LABEL'
  const toArguments = (token: IToken): readonly string[] =>
    arePairs && token.tokenType === QuotedWord
      ? pairOf(withoutLooseEscape(token.image, escapeChar))
      : tokenArguments(token)
  return {
    instruction: name,
    flags: flags.map(({ image }) => scanFlag(image, 0, escapeChar).value),
    args: keyword?.tokenType === UnknownName ? [] : tokens.flatMap(toArguments),
    json: tokens.some(({ tokenType }) => tokenType === Json),
    heredocs: heredocs.map(normalHeredoc),
    line: lines.first,
    endLine: lines.last,
  }
}

function pairOf(word: string): readonly string[] {
  const equals = word.indexOf('=')
  return equals < 0 ? [] : [word.slice(0, equals), word.slice(equals + 1)]
}

function tokenArguments({ tokenType, image }: IToken): readonly string[] {
  if (tokenType === Json) return (parseJsonArray(image, 0) ?? []).map(String)
  if (tokenType === HealthType) return [image.toUpperCase()]
  const isArgument = [Text, Word, QuotedWord, LegacyKey].includes(tokenType)
  return isArgument ? [image] : []
}

function normalHeredoc({ name, content, expand, chomp }: Heredoc): NormalHeredoc {
  return { name, content, expand, chomp }
}

function argumentsIn(instruction: Instruction): Pick<NormalInstruction, 'args' | 'json'> {
  if (instruction.kind === 'onbuild') return { args: [], json: false }
  if (instruction.kind === 'env' || instruction.kind === 'label') {
    const args = instruction.entries.flatMap(({ key, value }) => [key.raw, value.raw])
    return { args, json: false }
  }
  const args = argumentsOf(instruction)
  return { args: args.flat(), json: args.some((arg) => typeof arg !== 'string') }
}
