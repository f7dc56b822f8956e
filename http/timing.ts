import { setTimeout as delay } from 'node:timers/promises'

/** Clock, sleep and random numbers, so that tests replace them. */
export interface Timing {
  /** Milliseconds since the epoch, for times that others name; the machine's clock may be set at any time. */
  now(): number
  /** Milliseconds since some moment, for how long something takes or is valid. */
  elapsed(): number
  /** Rejects when `signal` is aborted. */
  sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void>
  /** From 0 up to, not including, 1. */
  random(): number
}

/** The system's clock and timers. */
export const REAL_TIMING: Timing = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: (milliseconds, signal) =>
    delay(milliseconds, undefined, signal === undefined ? {} : { signal }),
  random: () => Math.random(),
}

/** Milliseconds after which waiting for the network ends. */
export interface Timeouts {
  readonly connect: number
  /** For the head of an answer. */
  readonly headers: number
  /** For the answer to an upload: registries store the blob before they answer. */
  readonly stored: number
  /** Between two pieces of a body. */
  readonly idle: number
  /** Waiting time in which at least `SLOWEST` bytes have to come. */
  readonly slow: number
}

/** What holds unless a caller says otherwise. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  connect: 10_000,
  headers: 60_000,
  stored: 300_000,
  idle: 30_000,
  slow: 60_000,
}

/** Bytes; less than that within `Timeouts.slow` is taken for a broken connection. */
export const SLOWEST: number = 64 * 1024
