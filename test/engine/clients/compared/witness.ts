import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedFolder, run } from '../../../support/peers/index.ts'
import { type Engine, startDockerEngine } from '../support/engine.ts'
import type { Said } from '../support/said.ts'

/** What is done with an engine. `key` has all that decides what comes of it, besides the engine and the folder `support`. */
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

/** Packages, the kernel, and how things are played. */
async function whatDecides(): Promise<readonly string[]> {
  const packages = [
    ...['docker.io', 'containerd', 'runc', 'busybox-static', 'docker-registry', 'docker-compose'],
  ]
  const { stdout } = await run('dpkg-query', ['-W', ...packages])
  const folder = fileURLToPath(new URL('../support', import.meta.url))
  const sources = readdirSync(folder).filter((name) => name.endsWith('.js'))
  const texts = sources.sort().map((name) => readFileSync(join(folder, name), 'utf8'))
  return [stdout, release(), ...texts]
}
