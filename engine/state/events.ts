import { instant } from '#engine/model'

/** What something in the engine did. Spec: Docker Engine API, EventMessage */
export interface EngineEvent {
  readonly Type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder'
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
  readonly scope: 'local'
  /** Seconds since the epoch. */
  readonly time: number
  readonly timeNano: bigint
}

/** What is reported; the time is added. */
export type NewEvent = Pick<EngineEvent, 'Type' | 'Action'> & {
  readonly id: string
  readonly attributes?: Readonly<Record<string, string>>
}

/** Events that can be asked for later. */
const MOST = 256

/** The events of the engine: the latest ones, and those to come. */
export class Events {
  readonly #latest: EngineEvent[] = []
  readonly #listeners = new Set<(event: EngineEvent) => void>()

  readonly emit = ({ Type, Action, id, attributes = {} }: NewEvent): void => {
    const timeNano = instant()
    const time = Number(timeNano / 1_000_000_000n)
    const Actor = { ID: id, Attributes: attributes }
    const event: EngineEvent = { Type, Action, Actor, scope: 'local', time, timeNano }
    this.#latest.push(event)
    if (this.#latest.length > MOST) this.#latest.shift()
    for (const listener of this.#listeners) listener(event)
  }

  /** The latest events, oldest first. */
  latest(): readonly EngineEvent[] {
    return this.#latest
  }

  /** How many wait for events. */
  get listening(): number {
    return this.#listeners.size
  }

  /** Dispose of it to stop. */
  listen(listener: (event: EngineEvent) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
}
