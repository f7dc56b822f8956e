import type PQueue from 'p-queue'

/** Runs work when one of a limited number of places is free. */
export type Schedule = <T>(work: () => Promise<T>) => Promise<T>

/** Runs at most `concurrency` at a time, in the order of the calls. The queue is loaded when it is needed. */
export function scheduler(concurrency: number): Schedule {
  let loading: Promise<PQueue> | undefined
  return async (work) => {
    loading ??= import('p-queue').then(({ default: Queue }) => new Queue({ concurrency }))
    return (await loading).add(work)
  }
}
