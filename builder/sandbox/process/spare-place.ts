import { fstatSync } from 'node:fs'
import { hasEnded } from '#builder/linux'
import type { Preparer } from './preparer.ts'
import { dropPlace, makePlace, type Place, type PlaceInput } from './step-place.ts'

/**
 * Milliseconds that a place waits for its step. It has the mounts of the host until the step leaves them,
 * and would keep file systems busy that are unmounted meanwhile; and where steps take longer, the
 * milliseconds between them do not count.
 */
const PATIENCE = 1000

/**
 * A place that is made beside one step for the next one, which then need not wait for it. No step has been in
 * it: it is new like any other, and gone when its step is.
 */
export class SparePlace {
  #place: Place | undefined
  #kind = ''
  #timer: NodeJS.Timeout | undefined

  /** Makes a place for a step of this kind, unless there is one. @throws {SystemError} */
  make(preparer: Preparer, input: PlaceInput): void {
    if (this.#place !== undefined) return
    this.#place = makePlace(preparer, input)
    this.#kind = kindOf(input)
    this.#timer = setTimeout(() => this.drop(), PATIENCE)
  }

  /** Hands the place over, when it is for a step of this kind. */
  take(input: PlaceInput): Place | undefined {
    const place = this.#place
    if (place === undefined || this.#kind !== kindOf(input)) return undefined
    if (hasEnded(place.first.pid)) {
      this.drop()
      return undefined
    }
    this.#forget()
    return place
  }

  /** Releases the place, if there is one. */
  drop(): void {
    if (this.#place !== undefined) dropPlace(this.#place)
    this.#forget()
  }

  #forget(): void {
    clearTimeout(this.#timer)
    this.#place = undefined
  }
}

/** Of a network, the descriptor may have become that of another one. */
function kindOf({ network, devicesLimited, spec }: PlaceInput): string {
  const networkName =
    typeof network === 'string' ? network : fstatSync(network.namespace, { bigint: true }).ino
  return `${networkName} ${spec.security} ${spec.init} ${devicesLimited}`
}
