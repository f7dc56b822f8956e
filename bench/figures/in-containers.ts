import { readFileSync, symlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type Dockerd,
  run,
  startDockerd,
  temporaryDirectory,
} from '../../test/support/peers/index.ts'
import { freshFileSystem } from '../builders/fresh-file-system.ts'
import type { Bench } from '../cases/bench.ts'
import { runContext, writeContext } from '../contexts/dockerfile.ts'
import { changeOneFile, writeTree } from '../contexts/files.ts'
import { median } from '../measure/statistics.ts'
import { milliseconds } from '../report/times.ts'
import {
  type ContainerBuilder,
  loadBuilders,
  nextName,
  runContainer,
} from './container-builders.ts'

/**
 * Compares tsbuild with kaniko where pipelines run: in a container with docker's default rights, which
 * is started for each build, and whose image is pushed to a registry. Needs the peers (`findPeers`).
 */
export async function containerFigures(bench: Bench): Promise<string> {
  await using disk = await freshFileSystem()
  const directory = temporaryDirectory('dockerd')
  symlinkSync(disk.path, directory.file('data'))
  await using dockerd = await startDockerd({ directory })
  const builders = await loadBuilders(dockerd, bench)
  const start = await startTime(dockerd)
  const measuring = { dockerd, builders, start }
  const rows: string[] = []
  for (const one of await casesOf(bench)) rows.push(await measureCase(one, measuring))
  const head = ['', 'tsbuild', 'kaniko', 'kaniko : tsbuild', 'without the start', 'peak memory']
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'))
  const note = `Starting a container that does nothing: ${milliseconds(start)}, a part of all figures but "without the start".`
  return [formatRow(head), formatRow(rule), ...rows, '', note].join('\n')
}

function formatRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** What figures are made with. */
interface Measuring {
  readonly dockerd: Dockerd
  /** tsbuild, then kaniko. */
  readonly builders: readonly ContainerBuilder[]
  /** Milliseconds that it takes to start a container. */
  readonly start: number
}

interface Case {
  readonly name: string
  readonly context: string
  readonly repetitions: number
  /** Before every build, not measured. Without it everything starts from nothing. */
  readonly change?: (round: number) => void
}

async function casesOf({ base, file }: Bench): Promise<readonly Case[]> {
  const [{ name: busybox }, { name: debian }] = [await base('busybox'), await base('debian')]
  const four = [
    'RUN echo 1 > /first',
    'RUN echo 2 > /second',
    'COPY file /file',
    'RUN cat /file > /third',
  ]
  const small = writeContext(file('four'), [`FROM ${busybox}`, ...four], { file: 'a file\n' })
  const copied = ['COPY tree /tree', 'RUN find /tree -type f | wc -l > /count']
  const files = writeContext(file('files-in-container'), [`FROM ${busybox}`, ...copied])
  writeTree(files)
  const application = applicationContext(file('application-in-container'), debian)
  return [
    { name: 'four small steps', context: small, repetitions: 7 },
    { name: 'a Debian application: packages, compile', context: application, repetitions: 3 },
    { name: 'a context of 20,000 files (272 MB), a RUN', context: files, repetitions: 3 },
    {
      name: '40 RUN steps on a Debian base',
      context: runContext(file('forty'), debian, 40),
      repetitions: 3,
    },
    {
      name: 'one changed file of 20,000, with a cache',
      context: files,
      repetitions: 3,
      change: (round) => changeOneFile(files, round),
    },
  ]
}

/** Packages from Debian's archive, files of an application, and a step that reads many and writes many. */
function applicationContext(directory: string, debian: string): string {
  const parts = Array.from(
    { length: 200 },
    (_, index) => [`app/part${index}.py`, `VALUE = ${index}\n`] as const,
  )
  const main = { 'app/main.py': 'print(sum(range(1000)))\n' }
  return writeContext(
    directory,
    [
      `FROM ${debian} AS build`,
      'RUN apt-get update -q && apt-get install -q -y --no-install-recommends python3-minimal libpython3-stdlib',
      'WORKDIR /app',
      'COPY app /app',
      'RUN python3 -m compileall -q /usr/lib/python3 /app',
      'RUN useradd --create-home app && chown -R app /app',
      'USER app',
      'RUN python3 /app/main.py > /app/output',
      `FROM ${debian}`,
      'COPY --from=build /app /app',
      'RUN rm -rf /var/cache/apt/* && sha256sum /app/output > /app/sum',
    ],
    { ...main, ...Object.fromEntries(parts) },
  )
}

async function measureCase(
  { name, context, repetitions, change }: Case,
  { builders, dockerd, start }: Measuring,
): Promise<string> {
  const times = builders.map((): number[] => [])
  const memory = builders.map(() => 0)
  if (change !== undefined) {
    for (const builder of builders) {
      await builder.reset()
      await builder.build(context, nextName())
    }
  }
  // Looking at memory takes time itself, so the last round is for that.
  for (let round = 0; round <= repetitions; round += 1) {
    for (const [index, builder] of builders.entries()) {
      if (change === undefined) await builder.reset()
      else change(round * builders.length + index)
      await run('sync', [])
      const container = nextName()
      const began = performance.now()
      const building = builder.build(context, container)
      if (round === repetitions) memory[index] = await peakMemory(dockerd, container)
      await building
      if (round < repetitions) times[index]?.push(performance.now() - began)
    }
  }
  const [own = 0, other = 0] = times.map(median)
  return formatRow([
    name,
    milliseconds(own),
    milliseconds(other),
    `${(other / own).toFixed(1)}×`,
    `${((other - start) / (own - start)).toFixed(1)}×`,
    `${memory.map((bytes) => Math.round(bytes / 2 ** 20)).join(' / ')} MiB`,
  ])
}

/** The most memory that the first process of a container ever had, in bytes; waits for its end. */
async function peakMemory(dockerd: Dockerd, container: string): Promise<number> {
  const pid = await pidOf(dockerd, container)
  for (let peak = 0; ; await delay(5)) {
    const status = statusOf(pid)
    if (status === undefined) return peak
    peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024)
  }
}

async function pidOf(dockerd: Dockerd, container: string): Promise<number> {
  for (;;) {
    const asked = dockerd.docker(['inspect', '--format', '{{.State.Pid}}', container])
    const pid = await asked.then(({ stdout }) => Number(stdout)).catch(() => 0)
    if (pid > 0) return pid
    await delay(5)
  }
}

/** `undefined` for a process that has ended. */
function statusOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return undefined
  }
}

/** Milliseconds that it takes to start a container whose program ends at once. */
async function startTime(dockerd: Dockerd): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 7; round += 1) {
    const began = performance.now()
    await runContainer(dockerd, nextName(), [
      '--entrypoint',
      '/kaniko/executor',
      'kaniko',
      'version',
    ])
    times.push(performance.now() - began)
  }
  return median(times)
}
