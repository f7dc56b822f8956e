import { spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { CLI } from '../builders/tsbuild.ts'
import { writeContext } from '../contexts/dockerfile.ts'
import { writeSmallFiles } from '../contexts/files.ts'
import { milliseconds } from '../report/times.ts'

const COUNTS = [10_000, 100_000, 200_000]
/** The last thing the program says is the largest memory that it had, in KiB. */
const TELL_MEMORY = `data:text/javascript,process.on('exit', () => {
  console.error(process.resourceUsage().maxRSS) })`

/** COPY of trees of different sizes: neither time for a file nor memory may grow with them. */
export async function treeSizes(file: (name: string) => string): Promise<string> {
  const trees = COUNTS.map((count) => {
    const context = writeContext(file(`tree-${count}`), ['FROM scratch', 'COPY tree /tree'])
    writeSmallFiles(context, count)
    return { count, context }
  })
  // Of files that are too young, no digests are kept.
  await delay(2500)
  const rows = trees.map(({ count, context }) => {
    const env = { HOME: file('home'), TSBUILD_ROOT: file(`store-${count}`) }
    const [first, cached] = [copyOf(context, env), copyOf(context, env)]
    const perFile = ({ time }: Copied): string => `${((time * 1000) / count).toFixed(0)} µs`
    const cells = [first, cached].map(
      (one) => `${milliseconds(one.time)} | ${perFile(one)} | ${one.mebibytes.toFixed(0)} MiB`,
    )
    return `| ${count.toLocaleString('en')} files | ${cells.join(' | ')} |`
  })
  return [
    '| COPY of small files | first | a file | memory | cached | a file | memory |',
    '| --- | --: | --: | --: | --: | --: | --: |',
    ...rows,
  ].join('\n')
}

interface Copied {
  readonly time: number
  readonly mebibytes: number
}

function copyOf(context: string, env: Readonly<Record<string, string>>): Copied {
  const args = ['--import', TELL_MEMORY, CLI, '-t', 'tree:latest', context]
  const began = performance.now()
  const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  const time = performance.now() - began
  if (status !== 0) throw new Error(stderr)
  return { time, mebibytes: Number(stderr.trim().split('\n').at(-1)) / 1024 }
}
