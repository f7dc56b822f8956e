/**
 * Compares tsbuild with BuildKit (the newest of `../shared/peers`, or of Debian's docker.io) and
 * buildah, in one run on one machine: same base image, a fresh file system for each, files in the page cache, medians of several repetitions.
 * Prints Markdown. With arguments, only the cases that are named: run, files, sizes, hello, parser,
 * containers.
 */
import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { makeHello } from '../test/support/hello/make-hello.ts'
import {
  busyboxBase,
  CLEAN_ENVIRONMENT,
  run,
  startRegistry,
  temporaryDirectory,
} from '../test/support/peers/index.ts'
import {
  type Bench,
  type Builder,
  CLI,
  describeBuildKit,
  pushBase,
  startBuilders,
} from './builders.ts'
import { changeOneFile, dockerfileContext, filesContext, runContext } from './contexts.ts'
import { freshFileSystem } from './fresh-file-system.ts'
import { containerFigures } from './in-containers.ts'
import { measure, measureProgram, type Times } from './measure.ts'
import { parserFigures } from './parser.ts'
import { treeSizes } from './sizes.ts'
import { formatTable, milliseconds, type Row } from './table.ts'

const HELLO = new URL('../../fixtures/hello/', import.meta.url)
const STEPS = 40

const wanted = process.argv.slice(2)
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name)

if (isWanted('parser')) console.log(`${parserFigures()}\n`)
// The rest takes other builders, and root.
if (wanted.join() === 'parser') process.exit()
await using disk = await freshFileSystem()
// Where every builder and its helpers put what they make.
process.env.TMPDIR = disk.path
await using registry = await startRegistry()
using directory = temporaryDirectory('bench')
// As every user has one: Node.js keeps compiled code in it.
mkdirSync(directory.file('home'))
const base = await pushBase(registry, await busyboxBase())
const bench: Bench = { directory, registry, base }
console.log(await describeMachine())
if (isWanted('hello')) console.log(`\n${hello(bench)}`)
const cases = [...(isWanted('run') ? [runCases] : []), ...(isWanted('files') ? [fileCases] : [])]
if (cases.length > 0) {
  const prime = dockerfileContext(directory.file('prime'), [`FROM ${base}`, 'RUN true'])
  await using stack = new AsyncDisposableStack()
  const builders = await startBuilders(bench, prime)
  for (const builder of builders) stack.use(builder)
  const rows: Row[] = []
  for (const rowsOf of cases) rows.push(...(await rowsOf(builders, bench)))
  console.log(`\n${formatTable(rows)}`)
}
if (isWanted('sizes')) console.log(`\n${await treeSizes((name) => directory.file(name))}`)
if (isWanted('containers')) console.log(`\n${await containerFigures(bench)}`)

/** 40 small RUN steps: cold, overhead of one step, and all of it cached. */
async function runCases(builders: readonly Builder[], { base, directory }: Bench): Promise<Row[]> {
  const before = (builder: Builder) => builder.reset()
  const one = runContext(directory.file('run-1'), base, 1)
  const many = runContext(directory.file('run-40'), base, STEPS)
  const first = await measure(builders, one, { repetitions: 5, before })
  const all = await measure(builders, many, { repetitions: 5, before })
  const again = await measure(builders, many, { repetitions: 7 })
  const bare = measureProgram('/bin/busybox', ['sh', '-c', `echo 1 > ${directory.file('bare')}`], {
    repetitions: 40,
  })
  const overhead: Times = new Map(
    [...all].map(([name, time]) => [name, (time - (first.get(name) ?? 0)) / (STEPS - 1) - bare]),
  )
  const explained = `overhead of a RUN: (${STEPS} steps − 1 step) / ${STEPS - 1} − ${milliseconds(bare)} for the command alone`
  return [
    { name: `${STEPS} small RUN steps, cold`, times: all },
    { name: explained, times: overhead, target: [3, 10] },
    { name: `${STEPS} small RUN steps, all cached`, times: again },
  ]
}

/** COPY of 20,000 files, then one RUN: cold, cached, and with one file changed. */
async function fileCases(builders: readonly Builder[], { base, directory }: Bench): Promise<Row[]> {
  const context = filesContext(directory.file('files'), base)
  const cold = await measure(builders, context, {
    repetitions: 3,
    before: (builder) => builder.reset(),
  })
  const again = await measure(builders, context, { repetitions: 5 })
  const changed = await measure(builders, context, {
    repetitions: 3,
    before: async (builder, repetition) =>
      changeOneFile(context, repetition * builders.length + builders.indexOf(builder)),
  })
  return [
    { name: 'COPY of 20,000 files (272 MB), then a RUN, cold', times: cold, target: [4, 4] },
    { name: 'the same, all cached', times: again },
    { name: 'the same, one file changed', times: changed },
  ]
}

/** The cached rebuild of the hello image beside the least that any program for Node.js takes. */
function hello({ directory }: Bench): string {
  makeHello(HELLO, process.arch)
  const env = {
    ...CLEAN_ENVIRONMENT,
    HOME: directory.file('home'),
    TSBUILD_ROOT: directory.file('hello'),
  }
  const args = [CLI, '-t', 'hello:latest', fileURLToPath(HELLO)]
  measureProgram(process.execPath, args, { repetitions: 3, env })
  const cached = measureProgram(process.execPath, args, { repetitions: 15, env })
  const node = measureProgram(process.execPath, ['-e', '0'], { repetitions: 15, env })
  const ratio = (cached / node).toFixed(1)
  return `Cached rebuild of fixtures/hello: ${milliseconds(cached)}, ${ratio} times \`node -e 0\` (${milliseconds(node)}); target: ≤ 5 times.`
}

async function describeMachine(): Promise<string> {
  const first = async (command: string, args: readonly string[]) =>
    (await run(command, args)).stdout.split('\n')[0] ?? ''
  const buildKit = await describeBuildKit()
  const buildah = await first('buildah', ['--version'])
  const system = await first('uname', ['-sr'])
  const node = process.version
  return `${availableParallelism()} CPUs, ${system}, Node.js ${node}; ${buildKit}; ${buildah}`
}
