import { appendFileSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  type Dockerd,
  debianBase,
  findPeers,
  pushLayout,
  run,
  startDockerd,
  unpackPeers,
} from '../test/support/peers/index.ts'
import type { Bench } from './builders.ts'
import { changeOneFile, dockerfileContext, filesContext, runContext } from './contexts.ts'
import { median } from './measure.ts'
import { milliseconds } from './table.ts'

/**
 * Compares tsbuild with kaniko where pipelines run: in a container with docker's default rights, which
 * is started for each build, and whose image is pushed to a registry. Needs the peers (`findPeers`).
 */
export async function containerFigures(bench: Bench): Promise<string> {
  await using dockerd = await startDockerd()
  const builders = await loadBuilders(dockerd, bench)
  const debian = `${bench.registry.host}/debian:latest`
  await pushLayout(await debianBase(), debian)
  const start = await startTime(dockerd)
  const measuring = { dockerd, builders, start }
  const rows: string[] = []
  for (const one of casesOf(bench, debian)) rows.push(await measureCase(one, measuring))
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

/** A builder whose container is started for each build. */
interface ContainerBuilder {
  readonly name: string
  /** Begins with what it remembers of builds before emptied. */
  reset(): Promise<void>
  build(context: string, name: string): Promise<void>
}

interface Case {
  readonly name: string
  readonly context: string
  readonly repetitions: number
  /** Before every build, not measured. Without it everything starts from nothing. */
  readonly change?: (round: number) => void
}

function casesOf({ base, directory }: Bench, debian: string): readonly Case[] {
  const small = dockerfileContext(directory.file('four'), [
    `FROM ${base}`,
    'RUN echo 1 > /first',
    'RUN echo 2 > /second',
    'COPY file /file',
    'RUN cat /file > /third',
  ])
  writeFileSync(join(small, 'file'), 'a file\n')
  const files = filesContext(directory.file('files-in-container'), base)
  const application = applicationContext(directory.file('application'), debian)
  return [
    { name: 'four small steps', context: small, repetitions: 7 },
    { name: 'a Debian application: packages, compile', context: application, repetitions: 3 },
    { name: 'a context of 20,000 files (272 MB), a RUN', context: files, repetitions: 3 },
    {
      name: '40 RUN steps on a Debian base',
      context: runContext(directory.file('forty'), debian),
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
  dockerfileContext(directory, [
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
  ])
  mkdirSync(join(directory, 'app'), { recursive: true })
  for (let index = 0; index < 200; index += 1) {
    appendFileSync(join(directory, 'app', `part${index}.py`), `VALUE = ${index}\n`)
  }
  writeFileSync(join(directory, 'app/main.py'), 'print(sum(range(1000)))\n')
  return directory
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

async function loadBuilders(dockerd: Dockerd, bench: Bench): Promise<readonly ContainerBuilder[]> {
  const archive = bench.directory.file('tsbuild.tar')
  const project = fileURLToPath(new URL('../../', import.meta.url))
  await run('npm', ['run', '--silent', 'build:image', '--', '--output', archive], {
    cwd: project,
    env: { PATH: process.env.PATH ?? '', HOME: bench.directory.file('home') },
  })
  const { stdout } = await dockerd.docker(['load', '--quiet', '--input', archive])
  const image = /^Loaded image(?: ID)?: (\S+)$/m.exec(stdout)?.[1] ?? ''
  await importKaniko(dockerd, bench)
  return [tsbuild(dockerd, image, bench), kaniko(dockerd, bench)]
}

/** An image that holds kaniko and nothing else, as its project's does. */
async function importKaniko(dockerd: Dockerd, { directory }: Bench): Promise<void> {
  const peers = findPeers()
  if (peers === undefined) throw new Error('there is no kaniko to compare with: see findPeers')
  const root = directory.file('kaniko')
  mkdirSync(join(root, 'kaniko/.docker'), { recursive: true })
  mkdirSync(join(root, 'workspace'))
  copyFileSync(join(await unpackPeers(peers), 'kaniko-executor'), join(root, 'kaniko/executor'))
  const archive = directory.file('kaniko.tar')
  await run('tar', ['-cf', archive, '--owner=0', '--group=0', '-C', root, '.'])
  const changes = [
    'ENV HOME=/root DOCKER_CONFIG=/kaniko/.docker',
    'ENTRYPOINT ["/kaniko/executor"]',
  ]
  await dockerd.docker(['import', ...changes.flatMap((one) => ['-c', one]), archive, 'kaniko'])
}

function tsbuild(dockerd: Dockerd, image: string, { registry }: Bench): ContainerBuilder {
  let round = 0
  return {
    name: 'tsbuild',
    reset: async () => {
      round += 1
    },
    build: (context, name) =>
      runContainer(dockerd, name, [
        ...['-v', `${context}:/tsbuild/context:ro`, '-v', `tsbuild-${round}:/var/lib/tsbuild`],
        ...[image, '--insecure-registry', registry.host, '--push'],
        ...['-t', `${registry.host}/out/tsbuild-${round}:latest`, '/tsbuild/context'],
      ]),
  }
}

function kaniko(dockerd: Dockerd, { registry }: Bench): ContainerBuilder {
  let round = 0
  return {
    name: 'kaniko',
    reset: async () => {
      round += 1
    },
    build: (context, name) =>
      runContainer(dockerd, name, [
        ...['-v', `${context}:/workspace:ro`, 'kaniko', '--context', 'dir:///workspace'],
        ...['--insecure', '--insecure-pull', '--cache=true', '--cache-copy-layers'],
        ...['--cache-repo', `${registry.host}/cache/kaniko-${round}`],
        ...['--destination', `${registry.host}/out/kaniko-${round}:latest`],
      ]),
  }
}

/** Starts a container on the host's network, with docker's default rights, and waits for its end. */
async function runContainer(
  dockerd: Dockerd,
  name: string,
  args: readonly string[],
): Promise<void> {
  await dockerd.docker(['run', '--rm', '--network=host', '--name', name, ...args])
}

let containers = 0

function nextName(): string {
  return `bench-${containers++}`
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
