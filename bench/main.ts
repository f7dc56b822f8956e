/**
 * Compares tsbuild with BuildKit (the newest of `../shared/peers`, or of Debian's docker.io) and buildah,
 * or with tsbuild of another commit, in one run on one machine: the same base images, a fresh file system
 * for each builder, files in the page cache, builders by turns. Prints Markdown: medians and ranges.
 *
 *     npm run bench                                   everything
 *     npm run bench cached push -- --rounds 3         two rows
 *     npm run bench cached -- --compare main          this tsbuild and that of a commit
 */
import { availableParallelism } from 'node:os'
import { run } from '../test/support/peers/index.ts'
import { startBuildah } from './builders/buildah.ts'
import type { Builder } from './builders/builder.ts'
import { describeBuildKit, startBuildKit } from './builders/buildkit.ts'
import { freshFileSystem } from './builders/fresh-file-system.ts'
import { buildOtherVersion } from './builders/other-version.ts'
import { onOwnDisk } from './builders/own-disk.ts'
import { startTsbuild } from './builders/tsbuild.ts'
import { CASES } from './cases/all-cases.ts'
import type { Bench, Case } from './cases/bench.ts'
import { openBench } from './cases/open-bench.ts'
import { hello } from './figures/hello.ts'
import { containerFigures } from './figures/in-containers.ts'
import { parserFigures } from './figures/parser.ts'
import { treeSizes } from './figures/sizes.ts'
import { formatTable, type Row } from './report/table.ts'
import { type BenchRequest, parseRequest } from './request.ts'

/** What is measured without other builders, by its name. */
const FIGURES: Readonly<Record<string, (bench: Bench) => Promise<string>>> = {
  hello: async ({ file }) => hello(file),
  sizes: ({ file }) => treeSizes(file),
  containers: containerFigures,
}

const request = parseRequest(process.argv.slice(2), {
  cases: CASES.map(({ name }) => name),
  figures: ['parser', ...Object.keys(FIGURES)],
})
const isWanted = (name: string): boolean => request.names.size === 0 || request.names.has(name)
const isComparing = request.compare !== undefined

if (isWanted('parser') && !isComparing) console.log(`${parserFigures()}\n`)
// The rest takes a registry, file systems of its own, and root.
if ([...request.names].join() !== 'parser') await measureBuilders(request)

async function measureBuilders({ compare, rounds }: BenchRequest): Promise<void> {
  await using disk = await freshFileSystem()
  // Where all but the builders put what they make.
  process.env.TMPDIR = disk.path
  await using bench = await openBench()
  const cases = CASES.filter(({ name }) => isWanted(name))
  if (cases.length > 0) {
    await using builders = new AsyncDisposableStack()
    const started =
      compare === undefined ? await startPeers(builders) : await startVersions(compare, builders)
    console.log(`\n${await measureCases(cases, { bench, builders: started, rounds })}`)
  }
  if (compare !== undefined) return
  for (const [name, figure] of Object.entries(FIGURES)) {
    if (isWanted(name)) console.log(`\n${await figure(bench)}`)
  }
}

async function measureCases(
  cases: readonly Case[],
  measuring: Parameters<Case['measure']>[0],
): Promise<string> {
  const rows: Row[] = []
  for (const one of cases) {
    const { name, title, goal, beside } = one
    console.error(`measuring ${name}`)
    rows.push({ title, goal, beside, samples: await one.measure(measuring) })
  }
  const names = measuring.builders.map(({ name }) => name)
  return formatTable(rows, names)
}

async function startPeers(stack: AsyncDisposableStack): Promise<readonly Builder[]> {
  const first = async (command: string, args: readonly string[]) =>
    (await run(command, args)).stdout.split('\n')[0] ?? ''
  const [system, buildah] = [await first('uname', ['-sr']), await first('buildah', ['--version'])]
  const machine = `${availableParallelism()} CPUs, ${system}, Node.js ${process.version}`
  console.log(`${machine}; ${await describeBuildKit()}; ${buildah}`)
  return startAll([() => startTsbuild('tsbuild'), startBuildKit, startBuildah], stack)
}

async function startVersions(
  commit: string,
  stack: AsyncDisposableStack,
): Promise<readonly Builder[]> {
  const { name, program } = stack.use(await buildOtherVersion(commit))
  const starts = [() => startTsbuild('tsbuild'), () => startTsbuild(name, program)]
  return startAll(starts, stack)
}

async function startAll(
  starts: readonly (() => Promise<Builder>)[],
  stack: AsyncDisposableStack,
): Promise<readonly Builder[]> {
  const builders: Builder[] = []
  for (const start of starts) builders.push(stack.use(await onOwnDisk(start)))
  return builders
}
