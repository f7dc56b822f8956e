import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { listContext } from '#builder'
import { type IgnoreCase, readIgnoreCases } from '../../../support/ignore-cases/index.ts'
import {
  type Dockerd,
  ensurePackages,
  run,
  startDockerd,
  type TemporaryDirectory,
  temporaryDirectory,
} from '../../../support/peers/index.ts'

/** In every context beside what its case names. */
const COMMON = ['empty/', 'more/empty/', 'Dockerfile', 'x/y/z', '.hidden/a.md']
const LANES = 3

describe('what is ignored, compared with BuildKit', () => {
  let directory: TemporaryDirectory
  let folders: readonly { readonly one: IgnoreCase; readonly folder: string }[]

  before(async () => {
    await ensurePackages()
    directory = temporaryDirectory('ignored')
    const all = readIgnoreCases()
    const cases = all.filter(({ difference, error }) => (difference ?? error) === undefined)
    cases.push(...all.filter(({ error }) => error !== undefined).slice(-3))
    folders = cases.map((one, index) => {
      const folder = directory.file(`${index}`)
      makeContext(folder, one)
      return { one, folder }
    })
  })
  after(() => directory?.[Symbol.dispose]())

  it('is the same for the cases of the tables', async function () {
    // Every case is a build; another job on the machine must not fail them.
    this.timeout(150_000)
    assert.ok(folders.length > 60)
    // In another folder, which has no ignore file.
    const dockerfile = directory.file('Dockerfile')
    writeFileSync(dockerfile, 'FROM scratch\nCOPY . /\n')
    await using dockerd = await startDockerd()
    const found: Record<string, readonly string[] | string> = {}
    const expected: Record<string, readonly string[] | string> = {}
    const todo = folders.values()
    const lane = async (): Promise<void> => {
      for (const { one, folder } of todo) {
        found[one.name] = contextOf(folder)
        expected[one.name] = await contextForBuildKit(folder, dockerfile, dockerd)
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    assert.deepEqual(found, expected)
  })
})

function makeContext(folder: string, { text, ignored, kept }: IgnoreCase): void {
  // What is named as a file and as a folder becomes a folder.
  const named = [...ignored, ...kept].toSorted((a, b) => b.length - a.length)
  for (const path of [...named, ...COMMON]) {
    const file = join(folder, path)
    try {
      mkdirSync(path.endsWith('/') ? file : dirname(file), { recursive: true })
    } catch (error) {
      // One of the common files, where a case has a file instead of a folder.
      assert.ok(COMMON.includes(path), String(error))
      continue
    }
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) writeFileSync(file, '')
  }
  writeFileSync(join(folder, '.dockerignore'), text)
}

/** Sorted paths, or `refused`. */
function contextOf(folder: string): readonly string[] | string {
  try {
    using listing = listContext({ context: folder, dockerfile: '' })
    return [...listing.entries()]
      .map(({ path, type }) => (type === 'directory' ? `${path}/` : path))
      .sort()
  } catch (error) {
    assert.ok(error instanceof Error)
    return refusal(error.message)
  }
}

async function contextForBuildKit(
  folder: string,
  dockerfile: string,
  dockerd: Dockerd,
): Promise<readonly string[] | string> {
  const tar = `${folder}.tar`
  try {
    await dockerd.build(['-f', dockerfile, '-o', `type=tar,dest=${tar}`, folder])
  } catch (error) {
    assert.ok(error instanceof Error)
    return refusal(error.message)
  }
  const { stdout } = await run('tar', ['--quoting-style=literal', '-tf', tar])
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

function refusal(message: string): string {
  const [reason = message] =
    /illegal exclusion pattern: "!"|syntax error in pattern/.exec(message) ?? []
  return `refused: ${reason}`
}
