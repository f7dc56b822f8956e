import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { release } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedFolder, run } from '../../../support/peers/index.ts'
import { type Engine, startDockerEngine } from '../support/engine.ts'
import type { Said } from '../support/said.ts'

/** The folder with the tests of the engine. */
const TESTS = fileURLToPath(new URL('../..', import.meta.url))

/** What is done with an engine. `key` has what decides what comes of it, besides what `whatDecides` names. */
export interface Play {
  readonly key: readonly unknown[]
  readonly on: (engine: Engine) => Promise<readonly Said[]>
}

/** A dockerd that is started when it is asked for what it has not been asked for before on this machine. */
export interface Witness extends AsyncDisposable {
  readonly name: string
  /** What comes of a play. */
  recall(play: Play): Promise<readonly Said[]>
}

/**
 * Debian's dockerd, or that of `programs`. It takes half a second to start and end a container, so what it said is kept
 * as long as nothing changes that it depends on.
 */
export function witnessOf(programs?: string): Witness {
  let started: Promise<Engine> | undefined
  const start = (): Promise<Engine> => {
    started ??= startDockerEngine(programs === undefined ? {} : { programs })
    return started
  }
  return {
    name: programs === undefined ? 'docker.io' : 'docker',
    recall: async ({ key, on }) => {
      const parts = ['witness', programs, printable(key), await whatDecides()]
      const file = await cachedFolder(parts, async (path) => {
        writeFileSync(path, JSON.stringify(await on(await start())))
      })
      return JSON.parse(readFileSync(file, 'utf8'))
    },
    [Symbol.asyncDispose]: async () => {
      const engine = await started
      await engine?.[Symbol.asyncDispose]()
    },
  }
}

/** Patterns of dialogues are part of a session. */
function printable(key: readonly unknown[]): readonly unknown[] {
  return JSON.parse(
    JSON.stringify(key, (_, value) => (value instanceof RegExp ? value.source : value)),
  )
}

/** Debian's packages: the engine, the clients, and what steps run beside them. */
const PACKAGES = [
  ...['docker.io', 'containerd', 'runc', 'docker-registry', 'busybox-static', 'iptables'],
  ...['docker-compose', 'python3-docker', 'bash', 'coreutils', 'perl-base', 'tar', 'util-linux'],
  ...['wget'],
]

/** Packages, the kernel, the version of the library, and the modules that play; sessions are in the keys. */
async function whatDecides(): Promise<readonly string[]> {
  const { stdout } = await run('dpkg-query', ['-W', ...PACKAGES])
  const library = createRequire(import.meta.url).resolve('dockerode/package.json')
  const modules = ['clients', 'support'].flatMap((folder) =>
    readdirSync(join(TESTS, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /^(?!sessions\/).*(?<!\.test|\.long)\.js$/.test(path))
      .map((path) => join(TESTS, folder, path)),
  )
  const texts = [library, ...modules.sort()].map((path) => readFileSync(path, 'utf8'))
  return [stdout, release(), ...texts]
}
