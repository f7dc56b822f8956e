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
import { type OwnHost, onOwnHost } from './builders/own-host.ts'
import { startTsbuild } from './builders/tsbuild.ts'
import { CASES } from './cases/all-cases.ts'
import type { Bench, Case } from './cases/bench.ts'
import { openBench } from './cases/open-bench.ts'
import { engineFigures } from './figures/engines.ts'
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
  engines: engineFigures,
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
    await using stack = new AsyncDisposableStack()
    const starts =
      compare === undefined ? await preparePeers() : await prepareVersions(compare, stack)
    for (const group of [cases.filter(isOnHost), cases.filter((one) => !isOnHost(one))]) {
      if (group.length > 0) await measureCases(group, { bench, starts, rounds })
    }
  }
  if (compare !== undefined) return
  for (const [name, figure] of Object.entries(FIGURES)) {
    if (isWanted(name)) console.log(`\n${await figure(bench)}`)
  }
}

function isOnHost({ isIsolated = false }: Case): boolean {
  return !isIsolated
}

/** Starts a builder. @param host where steps get isolated networks; without it, they have that of this machine */
type Start = (host?: OwnHost) => Promise<Builder>

interface Starting {
  readonly bench: Bench
  readonly starts: readonly Start[]
  readonly rounds: number
}

/**
 * Measures cases that all want the same networks. Prints each row as soon as it is measured: a case that fails
 * loses nothing of what was measured before.
 */
async function measureCases(cases: readonly Case[], starting: Starting): Promise<void> {
  const { bench, starts, rounds } = starting
  await using stack = new AsyncDisposableStack()
  const builders: Builder[] = []
  for (const start of starts) {
    const place = cases.every(isOnHost) ? start : () => onOwnHost(start, bench.serveRegistry)
    builders.push(stack.use(await onOwnDisk(place)))
  }
  const names = builders.map(({ name }) => name)
  console.log(`\n${formatHead(names)}`)
  for (const one of cases) {
    const { title, goal, beside } = one
    const samples = await one.measure({ bench, builders, rounds })
    console.log(formatRow({ title, goal, beside, samples }, names))
  }
}

async function preparePeers(): Promise<readonly Start[]> {
  console.log(`${await describeBuildKit()}; ${await firstLine('buildah', ['--version'])}`)
  return [(host) => startTsbuild('tsbuild', { host }), startBuildKit, startBuildah]
}

async function firstLine(command: string, args: readonly string[]): Promise<string> {
  return (await run(command, args)).stdout.split('\n')[0] ?? ''
}

/** @param stack gets the files of the other one */
async function prepareVersions(
  commit: string,
  stack: AsyncDisposableStack,
): Promise<readonly Start[]> {
  const { name, program } = stack.use(await buildOtherVersion(commit))
  return [
    (host) => startTsbuild('tsbuild', { host }),
    (host) => startTsbuild(name, { program, host }),
  ]
}
