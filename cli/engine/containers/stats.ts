import type { Json } from '#core'
import { type EngineClient, EngineError, pathOf } from '#engine/client'
import { ENGINE_FLAGS } from '../../arguments/common-flags.ts'
import type { Arguments } from '../../arguments/flags.ts'
import { print, type Shell } from '../../terminal/shell.ts'
import { withEngine } from '../connect/with-engine.ts'
import { type EngineCommand, flagsOf } from '../definition/command.ts'
import { binarySize, humanSize, truncateId } from '../format/human.ts'
import { objectOf } from '../format/json.ts'
import { type ListKind, listText } from '../format/list.ts'
import { FORMAT } from '../lists/flags.ts'
import { type Usage, usageOf } from './usage.ts'

/** `tsbuild stats` */
export const STATS: EngineCommand = {
  name: 'stats',
  summary: 'Show what containers use, again and again',
  usage: 'tsbuild stats [flags] [CONTAINER…]',
  flags: [
    ...flagsOf('Which ones', { 'a, all': 'Those that do not run, too' }),
    ...flagsOf('Screen', {
      'no-stream': 'Show it once',
      'no-trunc': 'Print all of ids',
    }),
    ...FORMAT,
    ...ENGINE_FLAGS,
  ],
  examples: [['tsbuild stats --no-stream', 'as it is now']],
  run: async (args, shell) =>
    await withEngine(args, shell, async ({ client }) => {
      const watched = new Watched(client, args)
      if (args.has('no-stream')) {
        await watched.once()
        await print(shell, listText(watched.usages(), kindOf(args), args))
        return 0
      }
      return await showAgainAndAgain(watched, args, shell)
    }),
}

/** Milliseconds between two tables. */
const PAUSE = 500
const HOME = '\u001b[H'
const CLEAR_LINE = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

async function showAgainAndAgain(watched: Watched, args: Arguments, shell: Shell): Promise<number> {
  const isTerminal = shell.stdout.isTTY === true
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const show = async (): Promise<void> => {
    const text = listText(watched.usages(), kindOf(args), args)
    if (!isTerminal) await print(shell, text)
    // Sequences that move the cursor are this program's own.
    else shell.stdout.write(`${HOME}${text.replaceAll('\n', `${CLEAR_LINE}\n`)}${CLEAR_BELOW}`)
  }
  await watched.begin()
  const timer = setInterval(() => {
    show().catch(() => undefined)
    if (watched.isDone) resolve()
  }, PAUSE)
  shell.signal.addEventListener('abort', () => resolve(), { once: true })
  if (shell.signal.aborted) resolve()
  try {
    await ended
  } finally {
    clearInterval(timer)
  }
  return 0
}

/** Containers and the latest of what they use. */
class Watched {
  readonly #client: EngineClient
  readonly #args: Arguments
  readonly #usages = new Map<string, Usage>()
  #open = 0

  constructor(client: EngineClient, args: Arguments) {
    this.#client = client
    this.#args = args
  }

  /** Nothing is to come any more of containers that were named. */
  get isDone(): boolean {
    return this.#open === 0 && this.#args.positionals.length > 0
  }

  usages(): readonly Usage[] {
    return [...this.#usages.values()]
  }

  /** Reads each once. */
  async once(): Promise<void> {
    const names = await this.#names()
    await Promise.all(names.map((name) => this.#read(name, { stream: false })))
  }

  /** Reads each from now on; without names, those as well that are started later. */
  async begin(): Promise<void> {
    for (const name of await this.#names()) this.#follow(name)
    if (this.#args.positionals.length === 0) this.#followStarts().catch(() => undefined)
  }

  async #names(): Promise<readonly string[]> {
    const { positionals } = this.#args
    if (positionals.length > 0) return positionals
    const query = { all: this.#args.has('all') || undefined }
    const answer = await this.#client.json({ path: '/containers/json', query })
    return (Array.isArray(answer) ? answer : []).map((item) => String(objectOf(item).Id))
  }

  #follow(name: string): void {
    this.#open += 1
    this.#read(name, { stream: true })
      .catch(() => undefined)
      .finally(() => {
        this.#open -= 1
        if (!this.#args.has('all') && this.#args.positionals.length === 0) this.#usages.delete(name)
      })
  }

  async #read(name: string, query: { readonly stream: boolean }): Promise<void> {
    const path = pathOf`/containers/${name}/stats`
    try {
      for await (const message of this.#client.messages({ path, query })) {
        this.#usages.set(name, usageOf(message))
      }
    } catch (cause) {
      if (!(cause instanceof EngineError) || this.#args.positionals.length > 0) throw cause
    }
  }

  async #followStarts(): Promise<void> {
    const filters = JSON.stringify({ type: { container: true }, event: { start: true } })
    for await (const message of this.#client.messages({ path: '/events', query: { filters } })) {
      const id: Json | undefined = objectOf(objectOf(message).Actor).ID
      if (typeof id === 'string' && !this.#usages.has(id)) this.#follow(id)
    }
  }
}

function kindOf(args: Arguments): ListKind<Usage> {
  const percent = (value: number): string => `${value.toFixed(2)}%`
  const id = (whole: string): string => (args.has('no-trunc') ? whole : truncateId(whole))
  return {
    columns: {
      ID: ['CONTAINER ID', (usage) => id(usage.id)],
      Container: ['CONTAINER', (usage) => id(usage.id)],
      Name: ['NAME', ({ name }) => name],
      CPUPerc: ['CPU %', ({ cpu }) => percent(cpu)],
      MemUsage: [
        'MEM USAGE / LIMIT',
        ({ memory, limit }) => `${binarySize(memory)} / ${binarySize(limit)}`,
      ],
      MemPerc: ['MEM %', ({ memory, limit }) => percent(limit === 0 ? 0 : (memory / limit) * 100)],
      NetIO: ['NET I/O', ({ received, sent }) => `${humanSize(received)} / ${humanSize(sent)}`],
      BlockIO: ['BLOCK I/O', ({ read, written }) => `${humanSize(read)} / ${humanSize(written)}`],
      PIDs: ['PIDS', ({ pids }) => String(pids)],
    },
    table: ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDs'],
    quiet: '{{.ID}}',
  }
}
