import type PQueue from 'p-queue'

/** Runs work when there is a place for it. */
export type Schedule = <T>(work: () => Promise<T>) => Promise<T>

/** At most `concurrency` at a time, first come first served. Nothing is loaded before it is needed. */
export function scheduler(concurrency: number): Schedule {
  let loading: Promise<PQueue> | undefined
  return async (work) => {
    loading ??= import('p-queue').then(({ default: Queue }) => new Queue({ concurrency }))
    return (await loading).add(work)
  }
}
