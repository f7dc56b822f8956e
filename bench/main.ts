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
import { lookupFigures } from './figures/lookups.ts'
import { parserFigures } from './figures/parser.ts'
import { treeSizes } from './figures/sizes.ts'
import { formatHead, formatRow } from './report/table.ts'
import { type BenchRequest, parseRequest } from './request.ts'

/** What is measured without other builders, by its name. */
const FIGURES: Readonly<Record<string, (bench: Bench) => Promise<string>>> = {
  hello: async ({ file }) => hello(file),
  lookups: ({ file }) => lookupFigures(file),
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
  const system = await firstLine('uname', ['-sr'])
  console.log(`${availableParallelism()} CPUs, ${system}, Node.js ${process.version}`)
  const cases = CASES.filter(({ name }) => isWanted(name))
  if (cases.length > 0) {
    await using builders = new AsyncDisposableStack()
    const started =
      compare === undefined ? await startPeers(builders) : await startVersions(compare, builders)
    await measureCases(cases, { bench, builders: started, rounds })
  }
  if (compare !== undefined) return
  for (const [name, figure] of Object.entries(FIGURES)) {
    if (isWanted(name)) console.log(`\n${await figure(bench)}`)
  }
}

/** Prints each row as soon as it is measured: a case that fails loses nothing of what was measured before. */
async function measureCases(
  cases: readonly Case[],
  measuring: Parameters<Case['measure']>[0],
): Promise<void> {
  const builders = measuring.builders.map(({ name }) => name)
  console.log(`\n${formatHead(builders)}`)
  for (const one of cases) {
    const { title, goal, beside } = one
    console.log(formatRow({ title, goal, beside, samples: await one.measure(measuring) }, builders))
  }
}

async function startPeers(stack: AsyncDisposableStack): Promise<readonly Builder[]> {
  console.log(`${await describeBuildKit()}; ${await firstLine('buildah', ['--version'])}`)
  return startAll([() => startTsbuild('tsbuild'), startBuildKit, startBuildah], stack)
}

async function firstLine(command: string, args: readonly string[]): Promise<string> {
  return (await run(command, args)).stdout.split('\n')[0] ?? ''
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
