import { Places } from './places.ts'

/**
 * Does work when there is room for it, in the order of the calls.
 * @param work may call `begun` once it has got as far as to load the machine
 */
export type Schedule = <T>(work: (begun: () => void) => Promise<T>) => Promise<T>

/** Does so much at a time at most. */
export function scheduler(most: number): Schedule {
  const places = new Places(most)
  return (work) => places.use(() => work(() => undefined))
}
