import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cachedFolder, run } from '../../../support/peers/index.ts'
import { type Engine, startDockerEngine } from './engine.ts'
import { type Client, play, type Said } from './play.ts'
import type { Session } from './session.ts'

/** A dockerd that is started when something is asked that it has not been asked before on this machine. */
export interface Witness extends AsyncDisposable {
  /** What a session says against it. */
  recall(session: Session, client: Client): Promise<readonly Said[]>
}

/** Debian's dockerd. It takes half a second to start and end a container, so what it said is kept. */
export function debianWitness(): Witness {
  let started: Promise<Engine> | undefined
  const start = (): Promise<Engine> => {
    started ??= startDockerEngine()
    return started
  }
  return {
    recall: async (session, client) => {
      const key = ['session', client.name, session, await whatDecides()]
      const folder = await cachedFolder(printable(key), async (path) => {
        writeFileSync(path, JSON.stringify(await play(session, await start(), client)))
      })
      return JSON.parse(readFileSync(folder, 'utf8'))
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

/** Packages, the kernel, and how a session is played. */
async function whatDecides(): Promise<readonly string[]> {
  const packages = ['docker.io', 'containerd', 'runc', 'busybox-static', 'docker-registry']
  const { stdout } = await run('dpkg-query', ['-W', ...packages])
  const folder = dirname(fileURLToPath(import.meta.url))
  const sources = readdirSync(folder).filter((name) => name.endsWith('.js'))
  return [
    stdout,
    release(),
    ...sources.sort().map((name) => readFileSync(join(folder, name), 'utf8')),
  ]
}
