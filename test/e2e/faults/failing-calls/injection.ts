/** One command of which one call fails, and what must hold after that. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FailingCall, failingCall } from '../../../support/failing-call/index.ts'
import type { Outcome } from '../../../support/peers/index.ts'
import { MemoryRegistry } from '../../../support/registry/index.ts'
import { storeFaults } from '../../support/store-check.ts'
import { mustBuild, stepsThat, tsbuild } from '../../support/tsbuild.ts'
import { imageIdsIn } from '../soak/soak-apps.ts'
import { type Place, prepare, type Situation } from './situations.ts'

/** What a command leaves. */
interface Left {
  /** Names of the store, with the ids of their images: layers may be in the one or the other form. */
  readonly images: ReadonlyMap<string, string>
  /** Digests of files that were written beside the store. */
  readonly results: readonly (string | undefined)[]
  /** What is in folders that were filled beside the store, by path. */
  readonly folders: readonly string[]
}

/** How a command ended of which a call failed. */
export interface Injected {
  /** The call that failed; `undefined` when there were not so many. */
  readonly call: string | undefined
  readonly status: number | undefined
  /** What did not hold. */
  readonly faults: readonly string[]
}

/** Locks are SQLite's as well; it does not tell what a single call failed with. */
const OF_SQLITE =
  /(tsbuild\.db|lock): (disk I\/O error|unable to open database file) \(IO_FAILED\)$/

/** What the program of a step says, in the cache mount that it writes to. */
const OF_STEP = /: (No space left on device|Disk quota exceeded|I\/O error)$.*\(STEP_FAILED\)$/ms

/** What a repair says of each damage that is left. */
const OF_REPAIR =
  /^DAMAGED .*\(not repaired: .*(no space left on device|disk quota exceeded|EIO: i\/o error)/m

/** What the one line of an error says. */
const REASONS = {
  ENOSPC: /no space left on device.* \(NO_SPACE\)$/,
  EDQUOT: /disk quota exceeded.* \(NO_SPACE\)$/,
  EIO: /: .* \([A-Z_]+\)$/,
}

/** The texts of a bug, of a failure that hides another one, and of a stack. */
const UNWANTED = /bug in tsbuild|suppressed|^\s+at .*[):]\d+/im

/** A situation in which calls fail, one after the other. */
export class Injection {
  /** How many calls there are when none fails. */
  readonly count: number
  readonly #situation: Situation
  readonly #place: Place
  readonly #log: string
  readonly #before: Left
  readonly #after: Left
  /** Steps that are executed when no call fails. */
  readonly #executed: readonly string[]

  private constructor(situation: Situation, place: Place, log: string, normal: Normal) {
    this.#situation = situation
    this.#place = place
    this.#log = log
    this.count = normal.count
    this.#before = normal.before
    this.#after = normal.after
    this.#executed = normal.executed
  }

  /** @param log a file beside the disk, for the calls that were made */
  static async prepare(situation: Situation, place: Place, log: string): Promise<Injection> {
    await prepare(situation, place)
    const before = leftBy(situation, place)
    await using run = await startRun(situation, place)
    const prefix = await failingCall(
      { nth: 0, error: 'EIO', life: 'once' },
      { folder: place.disk.path, log },
    )
    const outcome = await mustBuild(run.args, { root: place.disk.root, prefix })
    const count = callsIn(log).length
    const after = leftBy(situation, place)
    const executed = stepsThat('DONE', outcome)
    return new Injection(situation, place, log, { count, before, after, executed })
  }

  /** Lets a call fail, and looks at what is left. */
  async inject(failing: FailingCall): Promise<Injected> {
    const { disk } = this.#place
    const { root } = disk
    await disk.restore()
    await using run = await startRun(this.#situation, this.#place)
    const prefix = await failingCall(failing, { folder: disk.path, log: this.#log })
    const { status, stdout, stderr } = await tsbuild(run.args, { root, prefix })
    const call = callsIn(this.#log).find((line) => line.endsWith(' FAILED'))
    const faults = [
      ...(failing.about !== undefined && status !== 0 ? ['it cannot do without'] : []),
      ...(status === 0
        ? this.#differences('what is left', this.#after)
        : this.#errorFaults({ stdout, stderr }, failing)),
      ...(await this.#storeFaults()),
      ...(await this.#repeatFaults(run.args)),
    ]
    return { call, status, faults: faults.length === 0 ? [] : [...faults, stderr.slice(-1500)] }
  }

  #errorFaults(
    { stdout, stderr }: Pick<Outcome, 'stdout' | 'stderr'>,
    { error }: FailingCall,
  ): readonly string[] {
    const errors = stderr.match(/^ERROR: .*$/gm) ?? []
    const [line = ''] = errors
    const isReason = REASONS[error].test(line) || OF_SQLITE.test(line) || OF_STEP.test(stderr)
    const isError = (errors.length === 1 && isReason) || OF_REPAIR.test(stdout)
    const isClear = isError && !UNWANTED.test(stderr)
    const names = leftBy(this.#situation, this.#place)
    const isWhole = [this.#before, this.#after].some((left) => isSame(left.images, names.images))
    return [
      ...(isClear ? [] : ['the error is not one clear line']),
      ...(isWhole ? [] : [`names: ${[...names.images]}`]),
      ...names.results.flatMap((digest, at) =>
        digest === undefined || digest === this.#after.results[at] ? [] : ['half a result is left'],
      ),
    ]
  }

  async #storeFaults(): Promise<readonly string[]> {
    const { root } = this.#place.disk
    if (this.#situation.damage !== undefined || !existsSync(join(root, 'index.json'))) return []
    const faults = storeFaults(root)
    const verified = await tsbuild(['store', 'verify'], { root })
    return verified.status === 0 ? faults : [...faults, verified.stdout + verified.stderr]
  }

  /** The same command works, finds what was there before, and leaves what it always leaves. */
  async #repeatFaults(args: readonly string[]): Promise<readonly string[]> {
    const { root } = this.#place.disk
    const outcome = await tsbuild(args, { root })
    if (outcome.status !== 0 && !isGone(args, outcome.stderr)) {
      return [`the next one: ${outcome.status}\n${outcome.stderr}`]
    }
    const known = new Set(this.#executed)
    const again = stepsThat('DONE', outcome).filter((step) => !known.has(step))
    return [
      ...again.map((step) => `was executed again: ${step}`),
      ...this.#differences('what the next one left', this.#after),
      ...storeFaults(root),
      ...(await this.#proofFaults()),
    ]
  }

  async #proofFaults(): Promise<readonly string[]> {
    const { proof } = this.#situation
    if (proof === undefined) return []
    const root = this.#place.disk.file('proof')
    const outcome = await tsbuild(proof(this.#place), { root })
    const executed = stepsThat('DONE', outcome)
    return outcome.status === 0 && executed.length === 0 ? [] : [`the proof: ${outcome.stderr}`]
  }

  #differences(what: string, expected: Left): readonly string[] {
    const found = leftBy(this.#situation, this.#place)
    const isRight = isSame(found.images, expected.images)
    const [files, right] = [found, expected].map((left) => `${left.results} ${left.folders}`)
    return isRight && files === right ? [] : [`${what}: ${[...found.images]} ${files}`]
  }
}

interface Normal {
  readonly count: number
  readonly before: Left
  readonly after: Left
  readonly executed: readonly string[]
}

/** What was removed is not there to be removed again. */
function isGone([command]: readonly string[], stderr: string): boolean {
  return command === 'rmi' && /\(NOT_FOUND\)$/m.test(stderr)
}

/** The arguments of the command; what it is pushed to is as new. */
async function startRun(
  { command, pushesTo }: Situation,
  place: Place,
): Promise<AsyncDisposable & { readonly args: readonly string[] }> {
  if (pushesTo === undefined) {
    return { args: command(place), [Symbol.asyncDispose]: async () => undefined }
  }
  const registry = await MemoryRegistry.start()
  const args = pushesTo(registry.host)(place)
  await mustBuild(['tag', 'app', args.at(-1) ?? ''], { root: place.disk.root })
  return { args, [Symbol.asyncDispose]: () => registry.close() }
}

function callsIn(log: string): readonly string[] {
  return readFileSync(log, 'utf8').split('\n').filter(Boolean)
}

function leftBy({ results = [], folders = [] }: Situation, { disk }: Place): Left {
  const isMade = existsSync(join(disk.root, 'index.json'))
  // A name of a registry that is another one each time.
  const names = isMade ? [...imageIdsIn(disk.root)] : []
  const images = new Map(names.filter(([name]) => !name.startsWith('127.0.0.1')))
  return {
    images,
    results: results.map((name) => digestOfFile(disk.file(name))),
    folders: folders.flatMap((name) => filesIn(disk.file(name))),
  }
}

/** With the digests of their contents. */
function filesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  return files.toSorted().map((path) => `${path} ${digestOfFile(path)}`)
}

function digestOfFile(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, digest]) => b.get(name) === digest)
}
