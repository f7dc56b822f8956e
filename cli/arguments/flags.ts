import { parseArgs } from 'node:util'
import { parseBoolean, suggestion, type TsbuildError, usageError } from '#core'

/** One flag of a command: how it is written, and what `--help` says about it. */
export interface Flag {
  /** Without the dashes. */
  readonly name: string
  readonly short?: string
  /** Stands for the value in the help; absent for a switch. */
  readonly metavar?: string
  /** What completion offers for the value: these words, or names of files and folders. */
  readonly values?: readonly string[] | 'paths'
  /** May be given several times, each adding a value. Otherwise the last one counts. */
  readonly repeat?: boolean
  readonly help: string
  /** Heading in the help. */
  readonly group: string
  /** Not in the help. */
  readonly isHidden?: boolean
}

/** Arguments of one command, split into flags and the rest. */
export class Arguments {
  readonly positionals: readonly string[]
  /** Those of them that stand behind `--`. */
  readonly trailing: readonly string[]
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(
    values: ReadonlyMap<string, readonly string[]>,
    positionals: readonly string[],
    trailing: readonly string[] = [],
  ) {
    this.#values = values
    this.positionals = positionals
    this.trailing = trailing
  }

  /** True when a switch is on. */
  has(name: string): boolean {
    return this.text(name) === 'true'
  }

  /** The last value of a flag. */
  text(name: string): string | undefined {
    return this.list(name).at(-1)
  }

  /** The same with more arguments, which are read for no flags. */
  followedBy(more: readonly string[]): Arguments {
    return new Arguments(this.#values, [...this.positionals, ...more], this.trailing)
  }

  /** Every value of a flag, in order. */
  list(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }
}

/** How a command line is read. */
export interface FlagOptions {
  /** What `--help` is asked of for this table. Default: `tsbuild`. */
  readonly command?: string
  /** What stands behind the first argument is another program's. Default: flags may stand anywhere. */
  readonly endsAtFirst?: boolean | undefined
}

/**
 * Reads `argv` against a table of flags; `--` ends them.
 * @throws {TsbuildError} USAGE
 */
export function parseFlags(
  argv: readonly string[],
  flags: readonly Flag[],
  { command = 'tsbuild', endsAtFirst = false }: FlagOptions = {},
): Arguments {
  const hint = `${command} --help lists the flags`
  const tokens = tokensOf(argv, flags)
  const first = tokens.find(({ kind }) => kind === 'positional')?.index
  if (endsAtFirst && first !== undefined && first + 1 < argv.length) {
    const before = parseFlags(argv.slice(0, first + 1), flags, { command })
    return before.followedBy(argv.slice(first + 1))
  }
  const values = new Map<string, string[]>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const flag = flags.find(({ name }) => name === token.name)
    if (flag === undefined) throw unknownFlagError(token.rawName, flags, hint)
    const value = flag.metavar === undefined ? switchValue(token) : flagValue(token, hint)
    const known = values.get(flag.name)
    if (known === undefined) values.set(flag.name, [value])
    else known.push(value)
  }
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? argv.length
  return new Arguments(values, positionals, argv.slice(end + 1))
}

/** The words of a command line by what they are. */
function tokensOf(argv: readonly string[], flags: readonly Flag[]): readonly Token[] {
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      flags.map(({ name, short, metavar }) => [
        name,
        {
          type: metavar === undefined ? 'boolean' : 'string',
          multiple: true,
          ...(short === undefined ? {} : { short }),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  return tokens
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number]

interface OptionToken {
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

/** Values as docker reads them. */
function switchValue({ rawName, value }: OptionToken): string {
  const isOn = value === undefined || parseBoolean(value)
  if (isOn !== undefined) return String(isOn)
  const hint = `write ${rawName}, or ${rawName}=false`
  throw usageError(`invalid value "${value}" for the switch ${rawName}`, hint)
}

function flagValue({ rawName, value, inlineValue }: OptionToken, help: string): string {
  if (value === undefined) {
    throw usageError(`flag ${rawName} needs a value`, help)
  }
  if (inlineValue !== true && value.length > 1 && /^-(?!\d+$)/.test(value)) {
    const joined = rawName.startsWith('--') ? `${rawName}=${value}` : rawName + value
    const hint = `write ${joined} if that is the value`
    throw usageError(`flag ${rawName} needs a value, but ${value} follows`, hint)
  }
  return value
}

function unknownFlagError(rawName: string, flags: readonly Flag[], help: string): TsbuildError {
  const similar = rawName.startsWith('--')
    ? suggestion(
        rawName.slice(2),
        flags.flatMap(({ name, isHidden }) => (isHidden === true ? [] : [name])),
      )
    : undefined
  const hint = similar === undefined ? help : `did you mean --${similar}?`
  return usageError(`unknown flag: ${rawName}`, hint)
}

/**
 * What `--format` asks for: one of `formats`, the first unless it is given.
 * @throws {TsbuildError} USAGE
 */
export function formatOf<T extends string>(args: Arguments, formats: readonly [T, ...T[]]): T {
  const format = args.text('format') ?? formats[0]
  const found = formats.find((one) => one === format)
  if (found !== undefined) return found
  throw usageError(`unknown format "${format}"`, `choose one of ${formats.join(', ')}`)
}

/**
 * Checks how many arguments a command got beside its flags.
 * @throws {TsbuildError} USAGE
 */
export function expectArguments(
  args: Arguments,
  wanted: { readonly least: number; readonly most: number; readonly usage: string },
): readonly string[] {
  const count = args.positionals.length
  if (count >= wanted.least && count <= wanted.most) return args.positionals
  const extra = args.positionals[wanted.most]
  const message =
    count < wanted.least
      ? `expected ${wanted.least === 1 ? 'an argument' : `${wanted.least} arguments`}, got ${count}`
      : `unexpected argument "${extra}"`
  throw usageError(message, `usage: ${wanted.usage}`)
}
