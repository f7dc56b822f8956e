import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { CLEAN_ENVIRONMENT, capture, type Outcome } from '../../support/peers/index.ts'
import { type Installed, REPOSITORY, testedHere } from './installed.ts'

export const FIXTURES: string = `${REPOSITORY}fixtures`
/** What ships, not the working tree. */
export const HERE: Installed = testedHere()

/** Compiled code is kept in it, as a user's home has it, for all processes that have no home of their own. */
const CACHE_HOME = `${REPOSITORY}dist/test/.cache`

/** How the command line tool is started. */
export interface Start {
  /** The store, given as TSBUILD_ROOT. */
  readonly root: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Words in front of the command that change who or where it runs: `setpriv …`. */
  readonly prefix?: readonly string[]
  /** Another command that runs this one. */
  readonly wrap?: ((command: readonly string[]) => readonly string[]) | undefined
  readonly installed?: Installed
  /** The process is killed after this long; default: 50,000 milliseconds. */
  readonly timeoutMs?: number
}

/** What one step of a build said at its end. */
type StepEnd = 'CACHED' | 'DONE' | 'ERROR' | 'CANCELED'

/** Runs the built command line tool to its end. */
export async function tsbuild(args: readonly string[], start: Start): Promise<Outcome> {
  const [command = '', ...rest] = words(args, start)
  return await capture(command, rest, {
    cwd: start.cwd ?? REPOSITORY,
    env: environment(start),
    timeoutMs: start.timeoutMs ?? 50_000,
    ...(start.input === undefined ? {} : { input: start.input }),
  })
}

/** Starts it and leaves it running. What it says goes to the file `log`, or nowhere. */
export function startTsbuild(
  args: readonly string[],
  start: Start,
  log?: string,
  { detached = false }: { readonly detached?: boolean } = {},
): ChildProcess {
  const [command = '', ...rest] = words(args, start)
  const output = log === undefined ? 'ignore' : openSync(log, 'w')
  const child = spawn(command, rest, {
    cwd: start.cwd ?? REPOSITORY,
    env: { ...CLEAN_ENVIRONMENT, ...environment(start) },
    stdio: ['ignore', output, output],
    // With a process group of its own.
    detached,
  })
  if (typeof output === 'number') closeSync(output)
  return child
}

/** Like `tsbuild`; throws with all that was said unless the exit code is 0. */
export async function mustBuild(args: readonly string[], start: Start): Promise<Outcome> {
  const outcome = await tsbuild(args, start)
  if (outcome.status === 0) return outcome
  const end = outcome.signal ?? outcome.status
  throw new Error(`tsbuild ${args.join(' ')}: ${end}\n${outcome.stdout}${outcome.stderr}`)
}

function words(args: readonly string[], start: Start): readonly string[] {
  const { command } = start.installed ?? HERE
  const all = [...(start.prefix ?? []), ...command, ...args]
  return start.wrap?.(all) ?? all
}

function environment(start: Start): Record<string, string> {
  // Beside the store, so that it goes with it.
  const home = { HOME: `${start.root}.home`, XDG_CACHE_HOME: CACHE_HOME }
  return {
    ...(start.env?.HOME === undefined ? home : {}),
    TSBUILD_ROOT: start.root,
    BUILDKIT_PROGRESS: 'plain',
    ...start.env,
  }
}

/** Reads plain progress: how each step ended, by its name, e.g. `[2/4] RUN make`. */
function stepEnds(outcome: Pick<Outcome, 'stderr'>): ReadonlyMap<string, StepEnd> {
  const names = new Map<string, string>()
  const ends = new Map<string, StepEnd>()
  for (const line of outcome.stderr.split('\n')) {
    const [, number = '', text = ''] = /^#(\d+) (.*)$/.exec(line) ?? []
    const end = /^(CACHED|DONE \d|ERROR: |CANCELED)/.exec(text)?.[0]
    if (end === undefined) {
      // The header comes again when a step gets the page back.
      if (number !== '' && !names.has(number)) names.set(number, text)
      continue
    }
    const name = names.get(number)
    if (name !== undefined) ends.set(name, end.replace(/[ :].*/, '') as StepEnd)
  }
  return ends
}

/** The names of the Dockerfile's steps, all but FROM, that ended so: `[2/4] …`, `[stage 2/4] …`. */
export function stepsThat(end: StepEnd, outcome: Pick<Outcome, 'stderr'>): string[] {
  return [...stepEnds(outcome)].flatMap(([name, found]) =>
    found === end && /^\[([^\]]* )?\d+\/\d+\] (?!FROM )/.test(name) ? [name] : [],
  )
}
