import type { VertexDone } from '#core'
import type { StatusTable } from './status-table.ts'

type Kind = 'store' | 'push' | 'archive' | 'files'

const LAYERS = 'exporting layers'
const PUSHING = 'pushing layers'
const SENDING = 'sending tarball'

/** What outputs do, in BuildKit's words: it has them as parts of their vertices. */
export class OutputVertices {
  readonly #table: StatusTable
  readonly #kinds = new Map<string, Kind>()

  constructor(table: StatusTable) {
    this.#table = table
  }

  /** @param name as the event has it */
  start(digest: string, name: string, time: number): void {
    const kind = kindOf(name)
    if (kind === undefined) return
    this.#kinds.set(digest, kind)
    this.#begin(digest, kind === 'files' ? SENDING : LAYERS, time)
  }

  /** Whether bytes go to a registry: BuildKit does not count them. */
  isPushing(digest: string, time: number): boolean {
    if (this.#kinds.get(digest) !== 'push') return false
    const layers = this.#table.part(digest, LAYERS)
    if (layers?.completed !== undefined) return true
    this.#finish(digest, LAYERS, time)
    this.#begin(digest, PUSHING, time)
    return true
  }

  /** The output has succeeded. */
  end(digest: string, { time, exported }: VertexDone & { readonly time: number }): void {
    const kind = this.#kinds.get(digest)
    if (kind === undefined || kind === 'files') return
    if (kind === 'push') this.isPushing(digest, time)
    this.#table.endParts(digest, time)
    if (exported === undefined) return
    const { root, isIndex, configs, names } = exported
    const manifest = `exporting manifest ${isIndex ? 'list ' : ''}${root}`
    const named = names.map((name) =>
      kind === 'push' ? `pushing manifest for ${name}@${root}` : `naming to ${name}`,
    )
    const written = configs.map((config) => `exporting config ${config}`)
    const ending = kind === 'archive' ? [SENDING] : named
    for (const id of [...(isIndex ? [...written, manifest] : [manifest, ...written]), ...ending]) {
      this.#begin(digest, id, time)
      this.#finish(digest, id, time)
    }
  }

  #begin(digest: string, id: string, time: number): void {
    const state = { id, current: 0, total: 0, started: time, completed: undefined, time }
    this.#table.setPart(digest, state)
  }

  #finish(digest: string, id: string, time: number): void {
    const part = this.#table.part(digest, id)
    if (part !== undefined) this.#table.setPart(digest, { ...part, completed: time, time })
  }
}

function kindOf(name: string): Kind | undefined {
  if (name === 'exporting to image') return 'store'
  if (name.startsWith('pushing ')) return 'push'
  if (name.startsWith('exporting to ') && name.endsWith(' image format')) return 'archive'
  return name === 'exporting to tar' ? 'files' : undefined
}
