import type { PlannedVertex } from '#core'

const COPY_FROM = /\] COPY (?:--\S+ )*--from=/

/** What is known of the vertices of a build before anything happens to them, by their IDs. */
export class PlannedVertices {
  readonly #planned = new Map<string, PlannedVertex>()
  /** Of vertices that fetch something for one step: the name of the step. */
  readonly #names = new Map<string, string>()
  /** By what it does, and the key of its result: a vertex that has ended. */
  readonly #ended = new Map<string, string>()

  add(vertices: readonly PlannedVertex[]): void {
    const users = new Map<string, number>()
    for (const vertex of vertices) this.#planned.set(vertex.id, vertex)
    for (const { inputs, name } of vertices) {
      for (const input of new Set(inputs)) {
        const { op } = this.#planned.get(input) ?? {}
        if (op !== 'http' && op !== 'git') continue
        const count = (users.get(input) ?? 0) + 1
        users.set(input, count)
        if (count === 1) this.#names.set(input, name)
        else this.#names.delete(input)
      }
    }
  }

  get(id: string): PlannedVertex | undefined {
    return this.#planned.get(id)
  }

  /** As clients see it. */
  nameOf(id: string): string | undefined {
    return this.#names.get(id) ?? this.#planned.get(id)?.name
  }

  /** The images whose layers are here once a step was executed. Files are copied without looking below them. */
  imagesReadBy(id: string): readonly string[] {
    const step = this.#planned.get(id)
    if (step?.op === 'exec') return this.#imageBelow(step)
    const source =
      step?.op === 'files' && COPY_FROM.test(step.name) ? step.inputs.at(-1) : undefined
    return source !== undefined && this.#planned.get(source)?.op === 'image' ? [source] : []
  }

  /** A vertex has ended with the result of the key. @returns one that has done the same before */
  end(id: string, key: string): string | undefined {
    const planned = this.#planned.get(id)
    if (planned === undefined) return undefined
    const { lines, name } = planned
    const action = JSON.stringify([lines.start, name.replace(/^\[\S+ /, ''), key])
    const known = this.#ended.get(action)
    if (known === undefined) this.#ended.set(action, id)
    return known === id ? undefined : known
  }

  #imageBelow(step: PlannedVertex): readonly string[] {
    let below: PlannedVertex | undefined = step
    while (below !== undefined && below.op !== 'image') {
      below = this.#planned.get(below.inputs[0] ?? '')
    }
    return below === undefined ? [] : [below.id]
  }
}
