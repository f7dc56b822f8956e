/** What a file costs that has not changed, as counts: time on a shared machine says little. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { run, type TemporaryDirectory, temporaryDirectory } from '../../support/peers/index.ts'
import { EXECUTABLE } from '../support/installed.ts'
import { HERE } from '../support/tsbuild.ts'

const FEW = 2000
const MANY = 6000
const IN_A_FOLDER = 100
/** Looking at it. The rest is what listing its folder costs for each file in it. */
const CALLS = 1.1
const LOOKING = ['statx', 'newfstatat', 'lstat', 'getdents64'] as const
/** Counted apart from looking at files: opening, reading and closing them, or digests of them. */
const READING = ['openat', 'close', 'read', 'pread64'] as const

describe('what a file costs that has not changed', function () {
  this.timeout(120_000)
  let directory: TemporaryDirectory
  before(function () {
    // It reads its own code from a file.
    if (EXECUTABLE !== undefined) this.skip()
    directory = temporaryDirectory('files')
  })
  after(() => directory?.[Symbol.dispose]())

  /** Builds, behind the words of another program. */
  async function build(context: string, ...prefix: readonly string[]): Promise<void> {
    const [command = '', ...words] = [...prefix, ...HERE.command, '-t', 'x', context]
    await run(command, words, {
      cwd: directory.path,
      env: { HOME: directory.path, TSBUILD_ROOT: directory.file('store') },
    })
  }

  async function counts(context: string): Promise<ReadonlyMap<string, number>> {
    const summary = directory.file('summary')
    const names = [...LOOKING, ...READING]
    const trace = ['--seccomp-bpf', '-e', `trace=?${names.join(',?')}`]
    await build(context, 'strace', '-f', '-qq', '-c', ...trace, '-o', summary)
    const rows = readFileSync(summary, 'utf8').matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+).* (\w+)$/gm)
    return new Map(Array.from(rows, ([, count, name = '']) => [name, Number(count)]))
  }

  function write(context: string, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const folder = directory.file(`${context}/tree/${Math.floor(index / IN_A_FOLDER)}`)
      if (index % IN_A_FOLDER === 0) mkdirSync(folder, { recursive: true })
      writeFileSync(`${folder}/${index}`, `${index}`)
    }
    writeFileSync(directory.file(`${context}/Dockerfile`), 'FROM scratch\nCOPY tree /tree\n')
  }

  /** What each of the files costs that only the larger context has. */
  function perFile(
    found: readonly ReadonlyMap<string, number>[],
    names: readonly string[],
  ): number {
    const [few = 0, many = 0] = found.map((counted) =>
      names.reduce((sum, name) => sum + (counted.get(name) ?? 0), 0),
    )
    return (many - few) / (MANY - FEW)
  }

  it('is one system call', async () => {
    for (const count of [FEW, MANY]) write(`${count}`, count)
    // Nothing is remembered of files that are younger than two seconds.
    await setTimeout(2100)
    const found: ReadonlyMap<string, number>[] = []
    for (const count of [FEW, MANY]) {
      // The first build makes the layer, the second one remembers its files, and the state that they are in.
      for (const _ of [1, 2]) await build(`${count}`)
      found.push(await counts(`${count}`))
    }
    const looks = perFile(found, LOOKING)
    assert.ok(looks > 0.9 && looks < CALLS, `${looks} looks`)
    // Its folder is opened and closed; no digest of a file is read.
    const reads = perFile(found, READING)
    assert.ok(reads < 2.5 / IN_A_FOLDER, `${reads} reads`)
  })

  it('is two where another one has changed', async () => {
    const found: ReadonlyMap<string, number>[] = []
    for (const count of [FEW, MANY]) {
      writeFileSync(directory.file(`${count}/tree/0/7`), 'changed')
      found.push(await counts(`${count}`))
    }
    const looks = perFile(found, LOOKING)
    assert.ok(looks > 1.8 && looks < 2 * CALLS, `${looks} looks`)
    // What was noted, and the tar, are read in large pieces.
    const reads = perFile(found, READING)
    assert.ok(reads < 8 / IN_A_FOLDER, `${reads} reads`)
  })
})
