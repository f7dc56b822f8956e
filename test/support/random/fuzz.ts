import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'

/** Where inputs are kept that once showed a fault, a file for each target. */
const FOUND = new URL('../../../../fixtures/fuzz/', import.meta.url)
/** Seconds for each target of `npm run test:fuzz`. */
const GIVEN = process.env.FUZZ_SECONDS
/** A target of `npm test` has this many. */
const FEW_SECONDS = 0.3
/** More than any machine tries in its time. */
const NO_LIMIT = 2 ** 31 - 1

/** What an entry point for input from outside is tried with. Inputs are values that JSON keeps as they are. */
interface Target<T> {
  /** Names the file with the inputs that are tried first. */
  readonly name: string
  readonly inputs: fc.Arbitrary<T>
  /** Throws for an input that is treated wrongly. */
  readonly check: (input: T) => void | Promise<void>
}

/**
 * Declares a test that tries an entry point with inputs that were found earlier, and then with random
 * ones for as long as there is time. A failure names the smallest input that fails, and the seed.
 */
export function fuzz<T>(title: string, { name, inputs, check }: Target<T>): void {
  const seconds = GIVEN === undefined ? FEW_SECONDS : Number(GIVEN)
  it(title, async function () {
    this.timeout(seconds * 1000 + 60_000)
    const seed = Math.trunc(Math.random() * 2 ** 31)
    let runs = 0
    const property = fc.asyncProperty(inputs, async (input) => {
      runs++
      await check(input)
    })
    await fc.assert(property, {
      seed,
      numRuns: NO_LIMIT,
      interruptAfterTimeLimit: seconds * 1000,
      examples: foundInputs<T>(name).map((input): [T] => [input]),
    })
    if (GIVEN !== undefined) console.log(`      ${runs} inputs, seed ${seed}`)
  })
}

function foundInputs<T>(name: string): readonly T[] {
  const file = new URL(`${name}.json`, FOUND)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
}
