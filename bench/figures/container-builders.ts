import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Dockerd, findPeers, run, unpackPeers } from '../../test/support/peers/index.ts'
import type { Bench } from '../cases/bench.ts'

/** A builder whose container is started for each build. */
export interface ContainerBuilder {
  readonly name: string
  /** Begins with what it remembers of builds before emptied. */
  reset(): Promise<void>
  build(context: string, name: string): Promise<void>
}

/** tsbuild, then kaniko, loaded into a daemon. */
export async function loadBuilders(
  dockerd: Dockerd,
  bench: Bench,
): Promise<readonly ContainerBuilder[]> {
  const archive = bench.file('tsbuild.tar')
  const project = fileURLToPath(new URL('../../../', import.meta.url))
  await run('npm', ['run', '--silent', 'build:image', '--', '--output', archive], {
    cwd: project,
    env: { PATH: process.env.PATH ?? '', HOME: bench.file('home') },
  })
  const { stdout } = await dockerd.docker(['load', '--quiet', '--input', archive])
  const image = /^Loaded image(?: ID)?: (\S+)$/m.exec(stdout)?.[1] ?? ''
  await importKaniko(dockerd, bench)
  return [tsbuild(dockerd, image, bench), kaniko(dockerd, bench)]
}

/** An image that holds kaniko and nothing else, as its project's does. */
async function importKaniko(dockerd: Dockerd, { file }: Bench): Promise<void> {
  const peers = findPeers()
  if (peers === undefined) throw new Error('there is no kaniko to compare with: see findPeers')
  const root = file('kaniko')
  mkdirSync(join(root, 'kaniko/.docker'), { recursive: true })
  mkdirSync(join(root, 'workspace'))
  copyFileSync(join(await unpackPeers(peers), 'kaniko-executor'), join(root, 'kaniko/executor'))
  const archive = file('kaniko.tar')
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
        ...[image, '--push'],
        ...['-t', `${registry}/out/tsbuild-${round}:latest`, '/tsbuild/context'],
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
        ...['--cache-repo', `${registry}/cache/kaniko-${round}`],
        ...['--destination', `${registry}/out/kaniko-${round}:latest`],
      ]),
  }
}

/**
 * Starts a container on the host's network, with docker's default rights, and waits for its end. It is removed
 * with the daemon: where many files were deleted, ext4 takes minutes longer to make others.
 */
export async function runContainer(
  dockerd: Dockerd,
  name: string,
  args: readonly string[],
): Promise<void> {
  await dockerd.docker(['run', '--network=host', '--name', name, ...args])
}

let containers = 0

/** A name for a container, another one each time. */
export function nextName(): string {
  return `bench-${containers++}`
}
