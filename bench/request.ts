import { parseArgs } from 'node:util'

/** What a run of the measurements is asked for. */
export interface BenchRequest {
  /** Cases and figures; all of them when there are none. */
  readonly names: ReadonlySet<string>
  readonly rounds: number
  /** A commit of tsbuild to be measured in place of other builders. */
  readonly compare: string | undefined
}

const ROUNDS = 5

/**
 * Reads the command line: `[NAME…] [--rounds N] [--compare COMMIT]`.
 * @param known every name, and those that can be compared
 * @throws {Error} for anything else, with what there is
 */
export function parseRequest(
  argv: readonly string[],
  known: { readonly cases: readonly string[]; readonly figures: readonly string[] },
): BenchRequest {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { rounds: { type: 'string' }, compare: { type: 'string' } },
    allowPositionals: true,
  })
  const { compare, rounds = String(ROUNDS) } = values
  const names = compare === undefined ? [...known.cases, ...known.figures] : known.cases
  for (const name of positionals) {
    if (!names.includes(name)) throw new Error(`no case ${name}: there are ${names.join(', ')}`)
  }
  if (!/^[1-9]\d{0,3}$/.test(rounds)) throw new Error(`invalid number of rounds: ${rounds}`)
  return { names: new Set(positionals), rounds: Number(rounds), compare }
}
